package shell

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// Package expand differs from bash in some parameter expansions: the word of ${x:-word} is expanded whether it is needed
// or not, and within double quotes and here-documents its quotes count; ${x/#a/b} and ${x/%a/b} are not anchored; and
// ${#m[@]} of an associative array is 1. Such expansions are carried out here. The parsed script has a plain expansion
// of a variable in their place, whose name is this mark and the expansion's source.

const (
	specialMark       = "\x00"
	specialQuotedMark = "\x00q"
)

// markSpecial puts the marks into a script that was just parsed.
func markSpecial(file syntax.Node) {
	var walk func(n syntax.Node, quoted bool)
	walk = func(n syntax.Node, quoted bool) {
		syntax.Walk(n, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Redirect:
				if n.Hdoc == nil || quotedDelimiter(n.Word) {
					return true
				}
				for _, part := range n.Hdoc.Parts {
					walkPart(part, true, walk)
				}
				walk(n.Word, false)
				return false
			case *syntax.DblQuoted:
				for _, part := range n.Parts {
					walkPart(part, true, walk)
				}
				return false
			case *syntax.ParamExp:
				walkPart(n, quoted, walk)
				return false
			case *syntax.CmdSubst:
				for _, st := range n.Stmts {
					walk(st, false)
				}
				return false
			}
			return true
		})
	}
	walk(file, false)
}

func walkPart(part syntax.WordPart, quoted bool, walk func(syntax.Node, bool)) {
	pe, ok := part.(*syntax.ParamExp)
	if !ok {
		walk(part, false)
		return
	}
	if isSpecial(pe, quoted) {
		mark := specialMark
		if quoted {
			mark = specialQuotedMark
		}
		var src strings.Builder
		if err := syntax.NewPrinter().Print(&src, &syntax.Word{Parts: []syntax.WordPart{pe}}); err == nil {
			index := pe.Index
			if pe.Repl == nil { // with ${a[@]/#x/y}, each element is a word of its own
				index = nil
			}
			*pe = syntax.ParamExp{Dollar: pe.Dollar, Rbrace: pe.Rbrace, Index: index, Param: &syntax.Lit{ValuePos: pe.Param.ValuePos, Value: mark + src.String()}}
		}
		return
	}
	for _, inner := range []syntax.Node{pe.Index} {
		if inner != nil {
			walk(inner, false)
		}
	}
	if pe.Exp != nil && pe.Exp.Word != nil {
		walk(pe.Exp.Word, quoted)
	}
	if pe.Repl != nil {
		for _, w := range []*syntax.Word{pe.Repl.Orig, pe.Repl.With} {
			if w != nil {
				walk(w, quoted)
			}
		}
	}
}

func isSpecial(pe *syntax.ParamExp, quoted bool) bool {
	if pe.Param == nil || pe.Excl {
		return false
	}
	list := false
	if w, ok := pe.Index.(*syntax.Word); ok {
		list = w.Lit() == "@" || w.Lit() == "*"
	}
	switch {
	case pe.Length:
		return list
	case pe.Repl != nil:
		return !pe.Repl.All && anchor(pe.Repl.Orig) != 0 && (pe.Index == nil || list)
	case pe.Exp != nil && pe.Exp.Word != nil && pe.Index == nil && pe.Param.Value != "@" && pe.Param.Value != "*":
		if !replaces(pe.Exp.Op) {
			return false
		}
		needs := quoted
		syntax.Walk(pe.Exp.Word, func(n syntax.Node) bool {
			if _, ok := n.(*syntax.CmdSubst); ok {
				needs = true
			}
			return !needs
		})
		return needs
	}
	return false
}

// replaces reports whether an operator takes its word instead of the value.
func replaces(op syntax.ParExpOperator) bool {
	switch op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull, syntax.DefaultUnset, syntax.DefaultUnsetOrNull,
		syntax.AssignUnset, syntax.AssignUnsetOrNull, syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		return true
	}
	return false
}

// anchor is # or % at the beginning of a pattern, 0 if there is none.
func anchor(w *syntax.Word) byte {
	if w == nil || len(w.Parts) == 0 {
		return 0
	}
	if lit, ok := w.Parts[0].(*syntax.Lit); ok && lit.Value != "" && (lit.Value[0] == '#' || lit.Value[0] == '%') {
		return lit.Value[0]
	}
	return 0
}

// special is the value of an expansion that was marked.
func (s *Shell) special(name string) expand.Variable {
	quoted := strings.HasPrefix(name, specialQuotedMark)
	src := strings.TrimPrefix(strings.TrimPrefix(name, specialMark), "q")
	pe, err := s.cache.expansion(src)
	if err != nil {
		s.expandErr = err
		return expand.Variable{}
	}
	// An expansion is under way: its state must not be used a second time.
	inner := *s.cfg
	inner.NoUnset = false
	outer := s.cfg
	fresh := expand.Config{Env: inner.Env, CmdSubst: inner.CmdSubst, ProcSubst: inner.ProcSubst}
	s.cfg = &fresh
	defer func() { s.cfg = outer }()
	if pe.Repl != nil {
		list, err := s.anchored(pe)
		if err != nil {
			s.expandErr = err
		}
		if pe.Index != nil {
			return expand.Variable{Set: true, Kind: expand.Indexed, List: list}
		}
		return expand.Variable{Set: true, Kind: expand.String, Str: strings.Join(list, " ")}
	}
	text, err := s.evalSpecial(pe, quoted)
	if err != nil && s.expandErr == nil {
		s.expandErr = err
	}
	return expand.Variable{Set: true, Kind: expand.String, Str: text}
}

func (s *Shell) evalSpecial(pe *syntax.ParamExp, quoted bool) (string, error) {
	vr := (environ{s}).Get(pe.Param.Value)
	if _, v := vr.Resolve(environ{s}); v.Declared() || v.IsSet() {
		vr = v
	}
	if pe.Length {
		switch vr.Kind {
		case expand.Associative:
			return strconv.Itoa(len(vr.Map)), nil
		case expand.Indexed:
			return strconv.Itoa(len(vr.List)), nil
		}
		if vr.IsSet() {
			return "1", nil
		}
		return "0", nil
	}
	set, value := vr.IsSet(), vr.String()
	word := func() (string, error) {
		if quoted {
			return s.document(quotedWord(pe.Exp.Word))
		}
		return s.literal(pe.Exp.Word)
	}
	op := pe.Exp.Op
	switch op {
	case syntax.AlternateUnsetOrNull, syntax.DefaultUnsetOrNull, syntax.AssignUnsetOrNull, syntax.ErrorUnsetOrNull:
		set = set && value != ""
	}
	switch op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if !set {
			return "", nil
		}
		return word()
	}
	if set {
		return value, nil
	}
	text, err := word()
	if err != nil {
		return "", err
	}
	switch op {
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		return text, s.setString(pe.Param.Value, text)
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		if text == "" {
			text = "parameter null or not set"
		}
		return "", expand.UnsetParameterError{Node: pe, Message: text}
	}
	return text, nil
}

// quotedWord is a word as it counts within double quotes: single quotes are ordinary characters.
func quotedWord(w *syntax.Word) *syntax.Word {
	var parts []syntax.WordPart
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.SglQuoted:
			if doc, err := syntax.NewParser().Document(strings.NewReader("'" + part.Value + "'")); err == nil && !part.Dollar {
				parts = append(parts, doc.Parts...)
				continue
			}
			parts = append(parts, part)
		case *syntax.DblQuoted:
			parts = append(parts, part.Parts...)
		default:
			parts = append(parts, part)
		}
	}
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Parts: parts}}}
}

// anchored is ${x/#a/b} and ${x/%a/b}.
func (s *Shell) anchored(pe *syntax.ParamExp) ([]string, error) {
	vr := (environ{s}).Get(pe.Param.Value)
	orig := *pe.Repl.Orig
	first := *orig.Parts[0].(*syntax.Lit)
	end := first.Value[0] == '%'
	first.Value = first.Value[1:]
	orig.Parts = append([]syntax.WordPart{&first}, orig.Parts[1:]...)
	pat, err := s.pattern(&orig)
	if err != nil {
		return nil, err
	}
	with := ""
	if pe.Repl.With != nil {
		if with, err = s.literal(pe.Repl.With); err != nil {
			return nil, err
		}
	}
	expr, err := pattern.Regexp(pat, 0)
	if err != nil {
		return nil, err
	}
	expr = "^(?s:" + expr + ")"
	if end {
		expr = "(?s:" + strings.TrimPrefix(strings.TrimSuffix(expr, ")"), "^(?s:") + ")$"
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, errors.New("bad pattern: " + pat)
	}
	list := []string{vr.String()}
	if pe.Index != nil && vr.Kind == expand.Indexed {
		list = append([]string{}, vr.List...)
	}
	for i, v := range list {
		if m := re.FindStringIndex(v); m != nil {
			list[i] = v[:m[0]] + with + v[m[1]:]
		}
	}
	return list, nil
}

// expansion is the parsed source of a marked expansion.
func (c *Cache) expansion(src string) (*syntax.ParamExp, error) {
	if c != nil {
		c.mu.Lock()
		pe := c.expansions[src]
		c.mu.Unlock()
		if pe != nil {
			return pe, nil
		}
	}
	w, err := syntax.NewParser().Document(strings.NewReader(src))
	if err != nil {
		return nil, err
	}
	pe, ok := w.Parts[0].(*syntax.ParamExp)
	if !ok || len(w.Parts) != 1 {
		return nil, errors.New("not an expansion: " + src)
	}
	if pe.Exp != nil && pe.Exp.Word != nil { // what is nested in its word
		markSpecial(pe.Exp.Word)
	}
	if c != nil {
		c.mu.Lock()
		if c.expansions == nil || len(c.expansions) > 2000 {
			c.expansions = map[string]*syntax.ParamExp{}
		}
		c.expansions[src] = pe
		c.mu.Unlock()
	}
	return pe, nil
}
