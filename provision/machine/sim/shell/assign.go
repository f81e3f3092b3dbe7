package shell

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// assign carries out one assignment in the given scope; nil: where the variable is visible.
func (s *Shell) assign(sc *scope, as *syntax.Assign, local bool, change func(*expand.Variable)) error {
	name := as.Name.Value
	old := environ{s}.Get(name)
	if local && sc != nil {
		old = sc.vars[name]
	}
	if n, v := old.Resolve(environ{s}); n != "" && !local {
		name, old = n, v
	}
	vr, err := s.value(as, old, change)
	if err != nil {
		return err
	}
	if sc == nil {
		return s.setVar(name, vr)
	}
	if visible := s.vars.find(name); visible != nil && visible.vars[name].ReadOnly {
		return fmt.Errorf("%s: %w", name, errReadOnly)
	}
	vr.Local = local
	return s.setIn(sc, name, vr)
}

// value is what an assignment makes of a variable.
func (s *Shell) value(as *syntax.Assign, old expand.Variable, change func(*expand.Variable)) (expand.Variable, error) {
	vr := old
	vr.Local = false
	if change != nil {
		change(&vr)
	}
	switch {
	case as.Naked:
		return vr, nil
	case as.Array != nil:
		return s.arrayValue(as, vr)
	case as.Index != nil:
		return s.elementValue(as, vr)
	}
	text, err := s.literal(as.Value)
	if err != nil {
		return vr, err
	}
	vr.Set = true
	switch vr.Kind {
	case expand.Indexed:
		list := slices.Clone(vr.List)
		if len(list) == 0 {
			list = []string{""}
		}
		if as.Append {
			text = list[0] + text
		}
		list[0] = text
		vr.List = list
	case expand.Associative:
		vr.Map = maps.Clone(vr.Map)
		if vr.Map == nil {
			vr.Map = map[string]string{}
		}
		vr.Map["0"] = text
	default:
		if as.Append {
			text = vr.Str + text
		}
		vr.Kind, vr.Str = expand.String, text
	}
	return vr, nil
}

func (s *Shell) arrayValue(as *syntax.Assign, vr expand.Variable) (expand.Variable, error) {
	if vr.Kind == expand.Associative {
		m := map[string]string{}
		if as.Append {
			m = maps.Clone(vr.Map)
			if m == nil {
				m = map[string]string{}
			}
		}
		for _, elem := range as.Array.Elems {
			key, err := s.key(elem.Index)
			if err != nil {
				return vr, err
			}
			text, err := s.literal(elem.Value)
			if err != nil {
				return vr, err
			}
			m[key] = text
		}
		vr.Set, vr.Map = true, m
		return vr, nil
	}
	arr := sparse{}
	if as.Append {
		arr.load(vr)
	}
	for _, elem := range as.Array.Elems {
		if elem.Index != nil {
			i, err := s.arithm(elem.Index)
			if err != nil {
				return vr, err
			}
			text, err := s.literal(elem.Value)
			if err != nil {
				return vr, err
			}
			arr.put(i, text)
			continue
		}
		fields, err := s.fields(elem.Value)
		if err != nil {
			return vr, err
		}
		for _, field := range fields {
			arr.put(arr.next(), field)
		}
	}
	vr.Set, vr.Kind, vr.Str = true, expand.Indexed, ""
	vr.List, vr.Indexes = arr.list()
	return vr, nil
}

func (s *Shell) elementValue(as *syntax.Assign, vr expand.Variable) (expand.Variable, error) {
	text, err := s.literal(as.Value)
	if err != nil {
		return vr, err
	}
	if vr.Kind == expand.Associative {
		key, err := s.key(as.Index)
		if err != nil {
			return vr, err
		}
		m := maps.Clone(vr.Map)
		if m == nil {
			m = map[string]string{}
		}
		if as.Append {
			text = m[key] + text
		}
		m[key] = text
		vr.Set, vr.Map = true, m
		return vr, nil
	}
	i, err := s.arithm(as.Index)
	if err != nil {
		return vr, err
	}
	arr := sparse{}
	arr.load(vr)
	if i < 0 {
		i += arr.next()
	}
	if as.Append {
		text = arr[i] + text
	}
	arr.put(i, text)
	vr.Set, vr.Kind, vr.Str = true, expand.Indexed, ""
	vr.List, vr.Indexes = arr.list()
	return vr, nil
}

// key is the subscript of an associative array.
func (s *Shell) key(index syntax.ArithmExpr) (string, error) {
	if w, ok := index.(*syntax.Word); ok {
		return s.literal(w)
	}
	n, err := s.arithm(index)
	return strconv.Itoa(n), err
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
