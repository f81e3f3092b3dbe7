package shell

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// fields expands words into arguments: everything bash does, pathname expansion included.
func (s *Shell) fields(words ...*syntax.Word) (fields []string, err error) {
	for _, w := range words {
		if lit := w.Lit(); lit != "" && !strings.ContainsAny(lit, "\\~*?[{") {
			fields = append(fields, lit)
			continue
		}
		if !s.opts.noglob && hasGlob(w) {
			matches, ok, err := s.glob(w)
			if err != nil {
				return nil, err
			}
			if ok {
				fields = append(fields, matches...)
				continue
			}
		}
		var got []string
		err := s.guard(func() (err error) {
			got, err = expand.Fields(s.cfg, w)
			return err
		})
		if err != nil {
			return nil, err
		}
		fields = append(fields, got...)
	}
	return fields, nil
}

// literal expands a word that stays one: a value, a redirection.
func (s *Shell) literal(w *syntax.Word) (text string, err error) {
	if w == nil {
		return "", nil
	}
	err = s.guard(func() (err error) {
		text, err = expand.Literal(s.cfg, w)
		return err
	})
	return text, err
}

func (s *Shell) document(w *syntax.Word) (text string, err error) {
	err = s.guard(func() (err error) {
		text, err = expand.Document(s.cfg, w)
		return err
	})
	return text, err
}

func (s *Shell) pattern(w *syntax.Word) (text string, err error) {
	err = s.guard(func() (err error) {
		text, err = expand.Pattern(s.cfg, w)
		return err
	})
	return text, err
}

func (s *Shell) arithm(e syntax.ArithmExpr) (n int, err error) {
	err = s.guard(func() (err error) {
		n, err = expand.Arithm(s.cfg, e)
		return err
	})
	return n, err
}

// guard keeps the expansion configuration of the command at hand apart from that of a command substitution in it,
// and turns a panic of the library into an error.
func (s *Shell) guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot expand this in the simulator: %v", r)
		}
		if s.expandErr != nil {
			err, s.expandErr = s.expandErr, nil
		}
	}()
	return do()
}

// expansionFailed reports an error of an expansion; a script ends with an unset variable.
func (s *Shell) expansionFailed(err error) {
	s.status = 1
	if unset, ok := errors.AsType[expand.UnsetParameterError](err); ok {
		s.errorf("%s: %s", unset.Node.Param.Value, unset.Message)
		if s.command {
			s.status = 127
		}
		s.leave = leaveShell
		return
	}
	s.errorf("%v", err)
	if errors.Is(err, errReadOnly) && !s.command || strings.Contains(err.Error(), "invalid indirect expansion") {
		s.leave = leaveShell
	}
}
