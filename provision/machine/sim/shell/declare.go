package shell

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// declare is declare, local, export, readonly and typeset.
func (s *Shell) declare(c *syntax.DeclClause) {
	d := declaration{s: s, name: c.Variant.Value}
	s.substCode = 0
	defer func() { s.status = d.code }() // until then the words see the $? of the command before
	switch d.name {
	case "local":
		if len(s.calls) == 0 {
			s.errorf("local: can only be used in a function")
			d.code = 1
			return
		}
		d.local = true
	case "declare", "typeset":
		d.local = len(s.calls) > 0
	case "export":
		d.export = true
	case "readonly":
		d.readonly = true
	}
	for _, as := range c.Args {
		if as.Name != nil {
			d.assign(as)
			continue
		}
		words, err := s.fields(as.Value)
		if err != nil {
			s.expansionFailed(err)
			d.code = s.status
			return
		}
		for _, w := range words {
			d.word(w)
		}
	}
}

type declaration struct {
	s                                 *Shell
	name                              string
	local, export, unexport, readonly bool
	kind                              expand.ValueKind
	code                              int
}

// word is an option, a name, or an assignment that an expansion made.
func (d *declaration) word(w string) {
	if len(w) > 1 && (w[0] == '-' || w[0] == '+') {
		for _, c := range w[1:] {
			d.option(c, w[0] == '-')
		}
		return
	}
	name, value, ok := strings.Cut(w, "=")
	appending := strings.HasSuffix(name, "+")
	name = strings.TrimSuffix(name, "+")
	as := &syntax.Assign{Name: &syntax.Lit{Value: name}, Naked: !ok, Append: appending && ok}
	if ok {
		as.Value = &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: value}}}
	}
	d.assign(as)
}

func (d *declaration) option(c rune, on bool) {
	switch c {
	case 'x':
		d.export, d.unexport = on, !on
	case 'r':
		d.readonly = on
	case 'a':
		d.kind = expand.Indexed
	case 'A':
		d.kind = expand.Associative
	case 'n':
		if d.name == "export" {
			d.export, d.unexport = false, true
		} else {
			d.code = d.s.unsimulated(d.name + " -n")
		}
	case 'g':
		d.local = false
	case 'p', 'f', 'F', 'i', 'l', 'u', 't':
		d.code = d.s.unsimulated(fmt.Sprintf("%s -%c", d.name, c))
	default:
		d.s.errorf("%s: -%c: invalid option", d.name, c)
		d.code = 2
	}
}

func (d *declaration) assign(as *syntax.Assign) {
	s := d.s
	name := as.Name.Value
	if !syntax.ValidName(name) {
		s.errorf("%s: `%s': not a valid identifier", d.name, name)
		d.code = 1
		return
	}
	var sc *scope
	if d.local {
		sc = s.vars
	}
	err := s.assign(sc, as, d.local, func(v *expand.Variable) {
		if d.kind != expand.Unknown && v.Kind != d.kind {
			if v.Kind != expand.String || !v.Set {
				*v = expand.Variable{Exported: v.Exported}
			}
			if d.kind == expand.Indexed && v.IsSet() {
				v.List, v.Str = []string{v.Str}, ""
			}
			v.Kind = d.kind
		}
	})
	if err != nil {
		s.expansionFailed(err)
		d.code = s.status
		return
	}
	where := s.vars.find(name)
	if where == nil {
		where = s.vars.root()
	}
	v := where.vars[name]
	v.Exported = v.Exported && !d.unexport || d.export
	v.ReadOnly = v.ReadOnly || d.readonly
	where.vars[name] = v
	s.envCache = nil
}

func declarations() []string {
	return []string{"declare", "local", "export", "readonly", "typeset", "let"}
}

// builtinDeclare is export, readonly and local where the grammar sees a plain command: in sh, and behind command and
// builtin. Their words are expanded already.
func builtinDeclare(s *Shell, args []string) int {
	var text strings.Builder
	text.WriteString(args[0])
	for _, arg := range args[1:] {
		name, value, assigns := strings.Cut(arg, "=")
		text.WriteString(" " + name)
		if assigns {
			quoted, err := syntax.Quote(value, syntax.LangBash)
			if err != nil {
				s.errorf("%s: %s: %v", args[0], name, err)
				return 1
			}
			text.WriteString("=" + quoted)
		}
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(text.String()), "")
	if err != nil {
		s.errorf("%s: `%s': not a valid identifier", args[0], strings.Join(args[1:], " "))
		return 1
	}
	if c, ok := file.Stmts[0].Cmd.(*syntax.DeclClause); ok {
		s.declare(c)
	}
	return s.status
}
