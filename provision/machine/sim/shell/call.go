package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

func (s *Shell) define(c *syntax.FuncDecl) {
	funcs := make(map[string]*syntax.Stmt, len(s.funcs)+1)
	for name, body := range s.funcs {
		funcs[name] = body
	}
	funcs[c.Name.Value] = c.Body
	s.funcs = funcs
	s.status = 0
}

// call runs a simple command.
func (s *Shell) call(c *syntax.CallExpr, redirs []*syntax.Redirect) {
	s.substCode = 0
	args, err := s.fields(c.Args...)
	if err != nil {
		s.expansionFailed(err)
		return
	}
	keep := len(args) > 0 && args[0] == "exec"
	before, err := s.redirect(redirs)
	defer before.back()
	if err != nil {
		s.status = 1
		if keep {
			s.leave = leaveShell
		}
		return
	}
	if keep || s.inPlace { // the shell's own from now on, or there is no shell afterwards
		before.drop()
	}
	if len(args) == 0 {
		s.assignAll(c.Assigns)
		return
	}
	s.trace(c, args)
	if len(c.Assigns) > 0 {
		done, ok := s.temporary(c.Assigns)
		defer done()
		if !ok {
			return
		}
	}
	s.run(args)
}

func (s *Shell) trace(c *syntax.CallExpr, args []string) {
	if !s.opts.xtrace {
		return
	}
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = quote(a)
	}
	fmt.Fprintf(s.p.Stderr(), "+ %s\n", strings.Join(words, " "))
}

// run finds a command and runs it: function, builtin or program.
func (s *Shell) run(args []string) {
	if body := s.funcs[args[0]]; body != nil {
		s.inPlace = false
		s.function(args, body)
		return
	}
	if b := builtin(args[0]); b != nil {
		s.inPlace = false
		s.status = b(s, args)
		return
	}
	s.external(args)
}

func (s *Shell) function(args []string, body *syntax.Stmt) {
	if len(s.calls) > 500 {
		s.errorf("%s: maximum function nesting level exceeded", args[0])
		s.status, s.leave = 1, leaveShell
		return
	}
	params, loops := s.params, s.loops
	outer := s.vars
	s.params, s.loops = args[1:], 0
	s.vars = newScope(outer)
	s.calls = append(s.calls[:len(s.calls):len(s.calls)], args[0])
	onError, trapped := s.trapOf("ERR")
	if trapped && !s.opts.errtrace {
		s.clearTrap("ERR") // functions do not inherit it
	}
	s.stmt(body)
	if _, own := s.trapOf("ERR"); trapped && !own {
		s.setTrap("ERR", onError)
	}
	s.calls = s.calls[:len(s.calls)-1]
	if hasExported(s.vars) {
		s.envCache = nil
	}
	s.vars, s.params, s.loops = outer, params, loops
	if s.leave == leaveFunction {
		s.leave = stay
	}
}

func hasExported(sc *scope) bool {
	for _, v := range sc.vars {
		if v.Exported {
			return true
		}
	}
	return false
}

// external runs a program of the node.
func (s *Shell) external(args []string) {
	env, where := s.environment(), s.where()
	if s.inPlace {
		s.p.Env = env
		s.status = load(s.ctx, s.p, args, where)
		s.leave = leaveShell
		s.traps = nil
		return
	}
	child, err := s.p.Fork(func(c *guest.Process) { c.Env, c.Args = env, args }, func(ctx context.Context, c *guest.Process) int {
		return load(ctx, c, args, where)
	})
	if err != nil {
		s.status = 126
		return
	}
	s.status = s.wait(child)
}

// load runs the program in process p.
func load(ctx context.Context, p *guest.Process, args []string, where string) int {
	run, args, err := p.Load(args)
	if err != nil {
		code := 126
		if e, ok := errors.AsType[*guest.ExecError](err); ok {
			code = e.Code
		}
		p.Errorf("%s: %v", where, err)
		return code
	}
	return p.Become(ctx, run, args)
}
