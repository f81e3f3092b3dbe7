package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

func (s *Shell) stmts(list []*syntax.Stmt) {
	for _, st := range list {
		if s.stopped() {
			return
		}
		s.stmt(st)
	}
}

func (s *Shell) stmt(st *syntax.Stmt) {
	s.runTraps()
	if s.stopped() || s.opts.noexec {
		return
	}
	s.line = st.Pos().Line()
	if st.Background {
		s.background(st)
		return
	}
	if st.Negated {
		s.tested++
	}
	inPlace := s.inPlace
	call, simple := st.Cmd.(*syntax.CallExpr)
	s.inPlace = inPlace && simple && !st.Negated
	mark := len(s.substFDs)
	if simple {
		s.call(call, st.Redirs)
	} else {
		s.compound(st)
	}
	s.closeSubstitutions(mark)
	if st.Negated {
		s.tested--
		if s.leave == stay {
			s.status = 1 - min(s.status, 1)
		}
		return
	}
	if b, ok := st.Cmd.(*syntax.BinaryCmd); ok && (b.Op == syntax.AndStmt || b.Op == syntax.OrStmt) {
		return // its last part has decided
	}
	s.failed()
}

// failed is what set -e and the ERR trap do after a command.
func (s *Shell) failed() {
	if s.status == 0 || s.tested > 0 || s.leave != stay || s.ctx.Err() != nil || s.dying != 0 {
		return
	}
	s.runTrap("ERR")
	if s.opts.errexit {
		s.leave = leaveShell
	}
}

// compound runs everything but a simple command, inside its redirections.
func (s *Shell) compound(st *syntax.Stmt) {
	before, err := s.redirect(st.Redirs)
	defer before.back()
	if err != nil {
		s.status = 1
		return
	}
	if st.Cmd == nil {
		s.status = 0
		return
	}
	s.cmd(st.Cmd)
}

func (s *Shell) cmd(c syntax.Command) {
	switch c := c.(type) {
	case *syntax.Block:
		s.stmts(c.Stmts)
	case *syntax.Subshell:
		s.subshell(c.Stmts)
	case *syntax.CallExpr:
		s.call(c, nil)
	case *syntax.BinaryCmd:
		s.binary(c)
	case *syntax.IfClause:
		s.ifClause(c)
	case *syntax.WhileClause:
		s.whileClause(c)
	case *syntax.ForClause:
		s.forClause(c)
	case *syntax.CaseClause:
		s.caseClause(c)
	case *syntax.FuncDecl:
		s.define(c)
	case *syntax.TestClause:
		s.status = s.testClause(c.X)
	case *syntax.ArithmCmd:
		s.status = s.arithmStatus(c.X)
	case *syntax.LetClause:
		for _, x := range c.Exprs {
			s.status = s.arithmStatus(x)
		}
	case *syntax.DeclClause:
		s.declare(c)
	case *syntax.TimeClause:
		if c.Stmt != nil {
			s.stmt(c.Stmt)
		}
		fmt.Fprintf(s.p.Stderr(), "\nreal\t0m0.000s\nuser\t0m0.000s\nsys\t0m0.000s\n")
	default:
		s.errorf("the simulator's shell cannot run this kind of command: %T", c)
		s.status = 2
	}
}

func (s *Shell) arithmStatus(x syntax.ArithmExpr) int {
	n, err := s.arithm(x)
	if err != nil {
		s.expansionFailed(err)
		return s.status
	}
	if n == 0 {
		return 1
	}
	return 0
}

func (s *Shell) subshell(list []*syntax.Stmt) {
	sub := s.fork()
	sub.inPlace = onlyCall(list)
	child, err := s.p.Fork(nil, func(ctx context.Context, c *guest.Process) int {
		return sub.in(ctx, c, func() { sub.stmts(list) })
	})
	if err != nil {
		s.status = 254
		return
	}
	s.status = s.wait(child)
}

// onlyCall reports whether a list is one simple command, which can take over its process.
func onlyCall(list []*syntax.Stmt) bool {
	if len(list) != 1 || list[0].Background || list[0].Negated {
		return false
	}
	_, ok := list[0].Cmd.(*syntax.CallExpr)
	return ok
}

func (s *Shell) binary(c *syntax.BinaryCmd) {
	switch c.Op {
	case syntax.AndStmt, syntax.OrStmt:
		s.tested++
		s.stmt(c.X)
		s.tested--
		if !s.stopped() && (s.status == 0) == (c.Op == syntax.AndStmt) {
			s.stmt(c.Y)
		}
	default:
		s.pipeline(c)
	}
}

type stage struct {
	st  *syntax.Stmt
	all bool // |&: standard error goes into the pipe too
}

func stages(c *syntax.BinaryCmd) []stage {
	var list []stage
	if left, ok := c.X.Cmd.(*syntax.BinaryCmd); ok && len(c.X.Redirs) == 0 && !c.X.Negated && (left.Op == syntax.Pipe || left.Op == syntax.PipeAll) {
		list = stages(left)
		list[len(list)-1].all = c.Op == syntax.PipeAll
	} else {
		list = []stage{{c.X, c.Op == syntax.PipeAll}}
	}
	return append(list, stage{st: c.Y})
}

func (s *Shell) pipeline(c *syntax.BinaryCmd) {
	procs, err := s.startPipeline(stages(c), 0)
	if err != nil {
		s.status = 254
		return
	}
	codes := make([]string, len(procs))
	last, worst := 0, 0
	for i, p := range procs {
		last = s.wait(p)
		if last != 0 {
			worst = last
		}
		codes[i] = fmt.Sprint(last)
	}
	s.status = last
	if s.opts.pipefail {
		s.status = worst
	}
	s.vars.root().vars["PIPESTATUS"] = expand.Variable{Set: true, Kind: expand.Indexed, List: codes}
}

func (sc *scope) root() *scope {
	for sc.parent != nil {
		sc = sc.parent
	}
	return sc
}

// startPipeline starts every stage as a process. group: -1 for a process group of its own.
func (s *Shell) startPipeline(list []stage, group int) ([]*guest.Process, error) {
	var procs []*guest.Process
	var in guest.File
	for i, stg := range list {
		var out, next guest.File
		if i < len(list)-1 {
			next, out = guest.Pipe()
		}
		stdin := in
		sub := s.fork()
		sub.inPlace = onlyCall([]*syntax.Stmt{stg.st})
		p, err := s.p.Fork(func(c *guest.Process) {
			if stdin != nil {
				c.SetFile(0, stdin)
			}
			if out != nil {
				c.SetFile(1, out)
				if stg.all {
					c.DupFD(1, 2)
				}
			}
			if group == -1 {
				c.SetGroup(0)
				group = c.PID
			} else if group > 0 {
				c.SetGroup(group)
			}
		}, func(ctx context.Context, c *guest.Process) int {
			return sub.in(ctx, c, func() { sub.whole(stg.st) })
		})
		if err != nil {
			for _, f := range []guest.File{stdin, out, next} {
				if f != nil {
					f.Close()
				}
			}
			return procs, err
		}
		procs = append(procs, p)
		in = next
	}
	return procs, nil
}

// whole runs the one statement of a forked shell. A subshell takes over its process, as in bash: a second process in
// between would hold the descriptors that the subshell closes.
func (s *Shell) whole(st *syntax.Stmt) {
	inner, ok := st.Cmd.(*syntax.Subshell)
	if !ok || st.Negated {
		s.stmt(st)
		return
	}
	s.line = st.Pos().Line()
	before, err := s.redirect(st.Redirs)
	defer before.back()
	if err != nil {
		s.status = 1
		return
	}
	before.drop()
	s.inPlace = onlyCall(inner.Stmts)
	s.stmts(inner.Stmts)
}

func (s *Shell) condition(list []*syntax.Stmt) bool {
	s.tested++
	s.stmts(list)
	s.tested--
	return s.status == 0
}

func (s *Shell) ifClause(c *syntax.IfClause) {
	for c != nil {
		if len(c.Cond) == 0 { // else
			s.stmts(c.Then)
			return
		}
		ok := s.condition(c.Cond)
		if s.stopped() {
			return
		}
		if ok {
			s.stmts(c.Then)
			return
		}
		s.status = 0
		c = c.Else
	}
}

// body runs a loop's body once and reports whether the loop goes on.
func (s *Shell) body(list []*syntax.Stmt) bool {
	s.stmts(list)
	if s.leave == leaveLoop || s.leave == leaveRound {
		if s.leaveDepth--; s.leaveDepth > 0 {
			return false
		}
		goOn := s.leave == leaveRound
		s.leave = stay
		return goOn && !s.stopped()
	}
	return !s.stopped()
}

func (s *Shell) whileClause(c *syntax.WhileClause) {
	s.loops++
	defer func() { s.loops-- }()
	code := 0
	for {
		ok := s.condition(c.Cond)
		if s.stopped() {
			if s.leave == leaveLoop || s.leave == leaveRound {
				s.body(nil)
			}
			return
		}
		if ok == c.Until {
			s.status = code
			return
		}
		if !s.body(c.Do) {
			return
		}
		code = s.status
	}
}

func (s *Shell) forClause(c *syntax.ForClause) {
	s.loops++
	defer func() { s.loops-- }()
	switch loop := c.Loop.(type) {
	case *syntax.WordIter:
		items := s.params
		if loop.InPos.IsValid() {
			var err error
			if items, err = s.fields(loop.Items...); err != nil {
				s.expansionFailed(err)
				return
			}
		}
		if c.Select {
			s.errorf("select: not supported by the simulator")
			s.status = 2
			return
		}
		s.status = 0
		for _, item := range items {
			if err := s.setString(loop.Name.Value, item); err != nil {
				s.expansionFailed(err)
				return
			}
			if !s.body(c.Do) {
				return
			}
		}
	case *syntax.CStyleLoop:
		s.cLoop(loop, c.Do)
	}
}

func (s *Shell) cLoop(loop *syntax.CStyleLoop, do []*syntax.Stmt) {
	eval := func(x syntax.ArithmExpr) (int, bool) {
		if x == nil {
			return 1, true
		}
		n, err := s.arithm(x)
		if err != nil {
			s.expansionFailed(err)
			return 0, false
		}
		return n, true
	}
	if _, ok := eval(loop.Init); !ok {
		return
	}
	s.status = 0
	for {
		if n, ok := eval(loop.Cond); !ok || n == 0 {
			return
		}
		if !s.body(do) {
			return
		}
		if _, ok := eval(loop.Post); !ok {
			return
		}
	}
}

func (s *Shell) caseClause(c *syntax.CaseClause) {
	text, err := s.literal(c.Word)
	if err != nil {
		s.expansionFailed(err)
		return
	}
	s.status = 0
	fall := false
	for _, item := range c.Items {
		if !fall && !s.anyMatches(item.Patterns, text) {
			continue
		}
		s.stmts(item.Stmts)
		switch item.Op {
		case syntax.Fallthrough:
			fall = true
		case syntax.Resume:
			fall = false
		default:
			return
		}
		if s.stopped() {
			return
		}
	}
}

func (s *Shell) anyMatches(patterns []*syntax.Word, text string) bool {
	for _, w := range patterns {
		if s.wordMatches(w, text) {
			return true
		}
	}
	return false
}

func (s *Shell) wordMatches(w *syntax.Word, text string) bool {
	pat, err := s.pattern(w)
	if err != nil {
		s.expansionFailed(err)
		return false
	}
	m := s.matcher(pat, pattern.Mode(0))
	return m != nil && m(text)
}

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
	args, err := s.fields(s.unalias(c.Args)...)
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

func (s *Shell) unalias(words []*syntax.Word) []*syntax.Word {
	if !s.opts.expandAliases || len(words) == 0 {
		return words
	}
	text, ok := s.aliases[words[0].Lit()]
	if !ok {
		return words
	}
	var with []*syntax.Word
	for w, err := range syntax.NewParser().WordsSeq(strings.NewReader(text)) {
		if err != nil {
			return words
		}
		with = append(with, w)
	}
	return append(with, words[1:]...)
}

// assignAll is a command that has assignments only. They see the $? of the command before.
func (s *Shell) assignAll(assigns []*syntax.Assign) {
	for _, as := range assigns {
		if err := s.assign(nil, as, false, nil); err != nil {
			s.expansionFailed(err)
			return
		}
		if s.opts.xtrace {
			fmt.Fprintf(s.p.Stderr(), "+ %s=%s\n", as.Name.Value, quote(s.get(as.Name.Value)))
		}
	}
	s.status = s.substCode
}

// temporary makes the assignments before a command, for the time of the command.
func (s *Shell) temporary(assigns []*syntax.Assign) (done func(), ok bool) {
	temp := newScope(s.vars)
	for _, as := range assigns {
		exported := func(v *expand.Variable) { v.Exported = true }
		if err := s.assign(temp, as, false, exported); err != nil {
			s.expansionFailed(err)
			return func() {}, false
		}
	}
	old, cached := s.vars, s.envCache
	s.vars, s.envCache = temp, nil
	return func() { s.vars, s.envCache = old, cached }, true
}

func (s *Shell) trace(c *syntax.CallExpr, args []string) {
	if !s.opts.xtrace {
		return
	}
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = quote(a)
	}
	fmt.Fprintf(s.p.Stderr(), "%s%s\n", s.tracePrefix(), strings.Join(words, " "))
}

func (s *Shell) tracePrefix() string {
	ps4 := "+ "
	if sc := s.vars.find("PS4"); sc != nil {
		ps4 = sc.vars["PS4"].Str
		if w, err := syntax.NewParser().Document(strings.NewReader(ps4)); err == nil {
			if text, err := s.document(w); err == nil {
				ps4 = text
			}
		}
	}
	return strings.Repeat(ps4[:min(1, len(ps4))], s.depth) + ps4
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
	s.stmt(body)
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
