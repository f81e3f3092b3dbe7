package shell

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

// substitute is $(...).
func (s *Shell) substitute(w io.Writer, cs *syntax.CmdSubst) error {
	if file := readsFile(cs); file != nil {
		return s.substituteFile(w, file)
	}
	if len(cs.Stmts) == 0 {
		s.substCode = 0
		return nil
	}
	sub := s.fork()
	if !s.opts.inheritErrexit && !s.posix {
		sub.opts.errexit = false
	}
	sub.inPlace = onlyCall(cs.Stmts)
	r, pw := guest.Pipe()
	defer r.Close()
	child, err := s.p.Fork(func(c *guest.Process) { c.SetFile(1, pw) }, func(ctx context.Context, c *guest.Process) int {
		return sub.in(ctx, c, func() { sub.stmts(cs.Stmts) })
	})
	if err != nil {
		pw.Close()
		return err
	}
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(s.ctx, buf)
		w.Write(buf[:n])
		if err != nil {
			break
		}
	}
	s.substCode = s.wait(child)
	s.status = s.substCode
	return nil
}

// readsFile is the file of $(<file), nil for anything else.
func readsFile(cs *syntax.CmdSubst) *syntax.Word {
	if len(cs.Stmts) != 1 {
		return nil
	}
	st := cs.Stmts[0]
	if st.Cmd != nil || st.Background || st.Negated || len(st.Redirs) != 1 || st.Redirs[0].Op != syntax.RdrIn {
		return nil
	}
	return st.Redirs[0].Word
}

func (s *Shell) substituteFile(w io.Writer, file *syntax.Word) error {
	reader := s.fork() // an expansion is under way: its state must not be used twice
	reader.p, reader.ctx = s.p, s.ctx
	name, err := reader.literal(file)
	if err != nil {
		return err
	}
	f, err := s.p.Open(name, os.O_RDONLY, 0)
	if err != nil {
		s.errorf("%s: %s", name, guest.Reason(err))
		s.substCode, s.status = 1, 1
		return nil
	}
	defer f.Close()
	s.substCode = 0
	_, err = io.Copy(w, f)
	return err
}

// processSubstitution is <(...) and >(...): a pipe that the command opens by /dev/fd/N.
func (s *Shell) processSubstitution(ps *syntax.ProcSubst) (string, error) {
	r, w := guest.Pipe()
	mine, theirs, theirFD := r, w, 1
	if ps.Op == syntax.CmdOut {
		mine, theirs, theirFD = w, r, 0
	} else if ps.Op != syntax.CmdIn {
		return "", fmt.Errorf("unsupported process substitution")
	}
	sub := s.fork()
	child, err := s.p.Fork(func(c *guest.Process) { c.SetFile(theirFD, theirs) }, func(ctx context.Context, c *guest.Process) int {
		return sub.in(ctx, c, func() { sub.stmts(ps.Stmts) })
	})
	if err != nil {
		return "", err
	}
	fd := s.p.FreeFD(63)
	s.p.SetFile(fd, mine)
	s.substFDs = append(s.substFDs, fd)
	s.lastJob = child.PID
	s.jobs = append(s.jobs, &job{pid: child.PID, procs: []*guest.Process{child}, quiet: true})
	return path.Join("/dev/fd", fmt.Sprint(fd)), nil
}

// closeSubstitutions closes the pipes of process substitutions once the command that had them is done.
func (s *Shell) closeSubstitutions(keep int) {
	for _, fd := range s.substFDs[keep:] {
		s.p.CloseFD(fd)
	}
	s.substFDs = s.substFDs[:keep]
}
