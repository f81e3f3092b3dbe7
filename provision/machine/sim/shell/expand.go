package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

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
			got, err = expand.Fields(s.cfg, defaults(w))
			return err
		})
		if err != nil {
			return nil, err
		}
		fields = append(fields, got...)
	}
	return fields, nil
}

// defaults is quoted for arguments, whose own backslashes the library knows.
func defaults(w *syntax.Word) *syntax.Word {
	if !slices.ContainsFunc(w.Parts, func(part syntax.WordPart) bool { _, param := part.(*syntax.ParamExp); return param && escaped(part) }) {
		return w
	}
	return quoted(w)
}

// literal expands a word that stays one: a value, a redirection.
func (s *Shell) literal(w *syntax.Word) (text string, err error) {
	if w == nil {
		return "", nil
	}
	w = quoted(w)
	err = s.guard(func() (err error) {
		text, err = expand.Literal(s.cfg, w)
		return err
	})
	return text, err
}

// quoted makes quoted text of what backslashes escape, which the library leaves as it is.
func quoted(w *syntax.Word) *syntax.Word {
	if !slices.ContainsFunc(w.Parts, escaped) {
		return w
	}
	plain := &syntax.Word{}
	for _, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			plain.Parts = append(plain.Parts, unescaped(p.Value)...)
			continue
		case *syntax.ParamExp:
			if escaped(p) {
				inner := *p
				inner.Exp = &syntax.Expansion{Op: p.Exp.Op, Word: quoted(p.Exp.Word)}
				part = &inner
			}
		}
		plain.Parts = append(plain.Parts, part)
	}
	return plain
}

// escaped reports whether a part has backslashes outside of quotes, or a default value that has.
func escaped(part syntax.WordPart) bool {
	switch p := part.(type) {
	case *syntax.Lit:
		return strings.Contains(p.Value, "\\")
	case *syntax.ParamExp:
		return p.Exp != nil && p.Exp.Word != nil && p.Exp.Op <= syntax.AssignUnsetOrNull && slices.ContainsFunc(p.Exp.Word.Parts, escaped)
	}
	return false
}

func unescaped(text string) (parts []syntax.WordPart) {
	for text != "" {
		before, after, _ := strings.Cut(text, "\\")
		if before != "" {
			parts = append(parts, &syntax.Lit{Value: before})
		}
		_, n := utf8.DecodeRuneInString(after)
		if after != "" && after[0] != '\n' {
			parts = append(parts, &syntax.SglQuoted{Value: after[:n]})
		}
		text = after[n:]
	}
	return parts
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
