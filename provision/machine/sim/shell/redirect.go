package shell

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

var errRedirect = errors.New("redirection failed") // reported already

// saved are the descriptors that redirections have taken the place of.
type saved struct{ restore, forget []func() }

// back puts them back.
func (d *saved) back() {
	for _, f := range slices.Backward(d.restore) {
		f()
	}
	*d = saved{}
}

// drop lets go of them: the redirections stay.
func (d *saved) drop() {
	for _, f := range d.forget {
		f()
	}
	*d = saved{}
}

// redirect carries out redirections. What they take the place of is in saved, also when one fails.
func (s *Shell) redirect(list []*syntax.Redirect) (*saved, error) {
	before := &saved{}
	for _, rd := range list {
		if err := s.redirectOne(rd, before); err != nil {
			return before, err
		}
	}
	return before, nil
}

func (s *Shell) redirectOne(rd *syntax.Redirect, before *saved) error {
	fd, isVar, err := s.redirectFD(rd)
	if err != nil {
		return err
	}
	save := func(fds ...int) {
		for _, n := range fds {
			if !isVar {
				restore, forget := s.p.SaveFD(n)
				before.restore, before.forget = append(before.restore, restore), append(before.forget, forget)
			}
		}
	}
	switch rd.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		text, err := s.heredoc(rd)
		if err != nil {
			s.expansionFailed(err)
			return errRedirect
		}
		save(fd)
		s.p.SetFile(fd, guest.Text(text))
		return nil
	}
	arg, err := s.literal(rd.Word)
	if err != nil {
		s.expansionFailed(err)
		return errRedirect
	}
	switch rd.Op {
	case syntax.WordHdoc:
		save(fd)
		s.p.SetFile(fd, guest.Text(arg+"\n"))
	case syntax.DplOut, syntax.DplIn:
		if rd.Op == syntax.DplOut && rd.N == nil && !isNumber(strings.TrimSuffix(arg, "-")) && arg != "-" { // >&file
			save(1, 2)
			return s.openBoth(arg, os.O_TRUNC)
		}
		save(fd)
		return s.duplicate(fd, arg)
	case syntax.RdrAll, syntax.AppAll:
		save(1, 2)
		flag := os.O_TRUNC
		if rd.Op == syntax.AppAll {
			flag = os.O_APPEND
		}
		return s.openBoth(arg, flag)
	case syntax.RdrIn:
		save(fd)
		return s.openAt(fd, arg, os.O_RDONLY)
	case syntax.RdrInOut:
		save(fd)
		return s.openAt(fd, arg, os.O_RDWR|os.O_CREATE)
	case syntax.AppOut:
		save(fd)
		return s.openAt(fd, arg, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	case syntax.RdrOut, syntax.RdrClob:
		save(fd)
		flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		if s.opts.noclobber && rd.Op == syntax.RdrOut {
			if info, err := s.p.FS().Stat(s.p.Cred, s.p.Path(arg)); err == nil && info.Mode().IsRegular() {
				s.errorf("%s: cannot overwrite existing file", arg)
				return errRedirect
			}
		}
		return s.openAt(fd, arg, flag)
	default:
		s.errorf("the simulator's shell does not know the redirection %s", rd.Op)
		return errRedirect
	}
	return nil
}

// redirectFD is the descriptor in front of a redirection; {name}> takes a free one and stays open.
func (s *Shell) redirectFD(rd *syntax.Redirect) (fd int, isVar bool, err error) {
	if rd.N == nil {
		switch rd.Op {
		case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
			return 0, false, nil
		}
		return 1, false, nil
	}
	if name, ok := strings.CutPrefix(rd.N.Value, "{"); ok {
		name = strings.TrimSuffix(name, "}")
		if word := rd.Word.Lit(); word == "-" && (rd.Op == syntax.DplOut || rd.Op == syntax.DplIn) {
			fd, _ = strconv.Atoi(s.get(name))
			return fd, true, nil
		}
		fd = s.p.FreeFD(10)
		if err := s.setString(name, strconv.Itoa(fd)); err != nil {
			s.errorf("%v", err)
			return 0, false, errRedirect
		}
		return fd, true, nil
	}
	fd, err = strconv.Atoi(rd.N.Value)
	if err != nil || fd > 255 {
		s.errorf("%s: Bad file descriptor", rd.N.Value)
		return 0, false, errRedirect
	}
	return fd, false, nil
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

func (s *Shell) openAt(fd int, name string, flag int) error {
	if err := s.p.OpenFD(fd, name, flag); err != nil {
		s.errorf("%s: %s", name, guest.Reason(err))
		return errRedirect
	}
	return nil
}

func (s *Shell) openBoth(name string, flag int) error {
	if err := s.openAt(1, name, os.O_WRONLY|os.O_CREATE|flag); err != nil {
		return err
	}
	s.p.DupFD(1, 2)
	return nil
}

// duplicate is N>&M, N>&- and N>&M-.
func (s *Shell) duplicate(fd int, arg string) error {
	if arg == "-" {
		s.p.CloseFD(fd)
		return nil
	}
	num, move := strings.CutSuffix(arg, "-")
	from, err := strconv.Atoi(num)
	if err != nil {
		s.errorf("%s: ambiguous redirect", arg)
		return errRedirect
	}
	if !s.p.DupFD(from, fd) {
		s.errorf("%s: Bad file descriptor", num)
		return errRedirect
	}
	if move && from != fd {
		s.p.CloseFD(from)
	}
	return nil
}

// heredoc is the text of a here-document.
func (s *Shell) heredoc(rd *syntax.Redirect) (string, error) {
	if rd.Hdoc == nil {
		return "", nil
	}
	doc := rd.Hdoc
	if rd.Op == syntax.DashHdoc {
		doc = withoutTabs(doc)
	}
	if quotedDelimiter(rd.Word) {
		if lit := doc.Lit(); lit != "" {
			return lit, nil
		}
	}
	return s.document(doc)
}

func quotedDelimiter(w *syntax.Word) bool {
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.SglQuoted, *syntax.DblQuoted:
			return true
		case *syntax.Lit:
			if strings.Contains(part.Value, `\`) {
				return true
			}
		}
	}
	return false
}

// withoutTabs removes the tabs at the beginning of each line, as <<- asks for.
func withoutTabs(w *syntax.Word) *syntax.Word {
	out := &syntax.Word{}
	start := true
	for _, part := range w.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			out.Parts = append(out.Parts, part)
			start = false
			continue
		}
		var b strings.Builder
		for _, c := range lit.Value {
			if start && c == '\t' {
				continue
			}
			start = c == '\n'
			b.WriteRune(c)
		}
		out.Parts = append(out.Parts, &syntax.Lit{Value: b.String()})
	}
	return out
}
