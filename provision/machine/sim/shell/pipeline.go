package shell

import (
	"context"
	"fmt"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

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
