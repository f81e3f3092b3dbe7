package shell

import (
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

func builtinUnset(s *Shell, args []string) int {
	vars, funcs := true, true
	code := 0
	for _, arg := range args[1:] {
		switch arg {
		case "-v":
			funcs = false
			continue
		case "-f":
			vars = false
			continue
		case "-n":
			continue
		}
		if name, sub, ok := strings.Cut(arg, "["); ok && vars {
			s.unsetElement(name, strings.TrimSuffix(sub, "]"))
			continue
		}
		if sc := s.vars.find(arg); vars && sc != nil {
			old := sc.vars[arg]
			if old.ReadOnly {
				s.errorf("unset: %s: cannot unset: readonly variable", arg)
				code = 1
				continue
			}
			if old.Local {
				sc.vars[arg] = expand.Variable{Local: true}
			} else {
				delete(sc.vars, arg)
			}
			s.envCache = nil
			continue
		}
		if _, ok := s.funcs[arg]; funcs && ok {
			rest := make(map[string]*syntax.Stmt, len(s.funcs))
			for name, body := range s.funcs {
				if name != arg {
					rest[name] = body
				}
			}
			s.funcs = rest
		}
	}
	return code
}

func (s *Shell) unsetElement(name, sub string) {
	vr := environ{s}.Get(name)
	switch vr.Kind {
	case expand.Associative:
		m := map[string]string{}
		for k, v := range vr.Map {
			if k != sub {
				m[k] = v
			}
		}
		vr.Map = m
	case expand.Indexed:
		expr, err := syntax.NewParser().Arithmetic(strings.NewReader(sub))
		if err != nil {
			return
		}
		i, err := s.arithm(expr)
		if err != nil {
			return
		}
		arr := sparse{}
		arr.load(vr)
		delete(arr, i)
		vr.List, vr.Indexes = arr.list()
	default:
		return
	}
	s.setVar(name, vr)
}
