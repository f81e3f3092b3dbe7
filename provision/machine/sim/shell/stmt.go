package shell

import (
	"context"
	"fmt"

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
	switch c := st.Cmd.(type) {
	case *syntax.Block, *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause:
		return // the last command in it has decided
	case *syntax.BinaryCmd:
		if c.Op == syntax.AndStmt || c.Op == syntax.OrStmt {
			return
		}
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
		s.failed()
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
