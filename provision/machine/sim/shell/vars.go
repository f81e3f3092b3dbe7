package shell

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// scope holds variables: the global ones, those local to a function, or the assignments before a command.
type scope struct {
	vars   map[string]expand.Variable
	parent *scope
}

func newScope(parent *scope) *scope {
	return &scope{vars: map[string]expand.Variable{}, parent: parent}
}

func (sc *scope) find(name string) *scope {
	for ; sc != nil; sc = sc.parent {
		if _, ok := sc.vars[name]; ok {
			return sc
		}
	}
	return nil
}

func (sc *scope) clone() *scope {
	if sc == nil {
		return nil
	}
	return &scope{vars: maps.Clone(sc.vars), parent: sc.parent.clone()}
}

// environ shows the shell's variables and parameters to package expand.
type environ struct{ s *Shell }

var errReadOnly = errors.New("readonly variable")

// Get returns a variable or one of the shell's parameters.
func (e environ) Get(name string) expand.Variable {
	s := e.s
	str := func(v string) expand.Variable { return expand.Variable{Set: true, Kind: expand.String, Str: v} }
	switch name {
	case "#":
		return str(strconv.Itoa(len(s.params)))
	case "@", "*":
		list := s.params
		if list == nil {
			list = []string{}
		}
		return expand.Variable{Set: true, Kind: expand.Indexed, List: list}
	case "?":
		return str(strconv.Itoa(s.status))
	case "$":
		return str(strconv.Itoa(s.pid))
	case "BASHPID":
		return str(strconv.Itoa(s.p.PID))
	case "PPID":
		return str(strconv.Itoa(s.p.PPID))
	case "!":
		if s.lastJob == 0 {
			return expand.Variable{}
		}
		return str(strconv.Itoa(s.lastJob))
	case "-":
		return str(s.opts.flags())
	case "0":
		return str(s.name)
	case "RANDOM":
		return str(strconv.Itoa(rand.IntN(32768)))
	case "SRANDOM":
		return str(strconv.FormatUint(uint64(rand.Uint32()), 10))
	case "SECONDS":
		return str(strconv.Itoa(int(time.Since(s.started).Seconds())))
	case "EPOCHSECONDS":
		return str(strconv.FormatInt(s.p.Machine().Time().Unix(), 10))
	case "EPOCHREALTIME":
		now := s.p.Machine().Time()
		return str(fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000))
	case "UID", "EUID":
		return str(strconv.Itoa(int(s.p.Cred.UID)))
	case "HOSTNAME":
		if e.s.vars.find(name) == nil {
			return str(s.p.Machine().Name)
		}
	case "BASH_VERSION":
		return str("5.2.21(1)-release")
	case "BASH":
		return str("/bin/bash")
	case "BASH_SOURCE":
		if len(s.files) == 0 && len(s.calls) == 0 {
			return expand.Variable{}
		}
		return expand.Variable{Set: true, Kind: expand.Indexed, List: s.sources()}
	case "FUNCNAME":
		if len(s.calls) == 0 {
			return expand.Variable{}
		}
		list := slices.Clone(s.calls)
		slices.Reverse(list)
		return expand.Variable{Set: true, Kind: expand.Indexed, List: list}
	case "BASH_SUBSHELL":
		return str(strconv.Itoa(s.depth))
	}
	if strings.HasPrefix(name, specialMark) {
		return s.special(name)
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n >= 1 && n <= len(s.params) {
			return str(s.params[n-1])
		}
		return expand.Variable{}
	}
	if user, ok := strings.CutPrefix(name, "HOME "); ok {
		// Asked for ~user. Never unset: package expand would look the user up on the host.
		switch user {
		case "+":
			return str(s.p.Dir)
		case "-":
			return str(s.get("OLDPWD"))
		}
		if home := homeOf(s.p, user); home != "" {
			return str(home)
		}
		return str("~" + user)
	}
	if sc := s.vars.find(name); sc != nil {
		return sc.vars[name]
	}
	return expand.Variable{}
}

// Each calls f for every variable.
func (e environ) Each(f func(name string, vr expand.Variable) bool) {
	seen := map[string]bool{}
	for sc := e.s.vars; sc != nil; sc = sc.parent {
		for name, vr := range sc.vars {
			if !seen[name] {
				seen[name] = true
				if !f(name, vr) {
					return
				}
			}
		}
	}
}

// Set sets a variable where it is visible, or globally.
func (e environ) Set(name string, vr expand.Variable) error { return e.s.setVar(name, vr) }

func (s *Shell) setVar(name string, vr expand.Variable) error {
	sc := s.vars.find(name)
	if sc == nil {
		for sc = s.vars; sc.parent != nil; sc = sc.parent {
		}
	}
	return s.setIn(sc, name, vr)
}

func (s *Shell) setIn(sc *scope, name string, vr expand.Variable) error {
	old := sc.vars[name]
	if old.ReadOnly || name == "UID" || name == "EUID" || name == "PPID" {
		return fmt.Errorf("%s: %w", name, errReadOnly)
	}
	vr.Exported = vr.Exported || old.Exported || s.opts.allexport
	vr.Local = old.Local || vr.Local
	if !vr.IsSet() && !vr.Declared() {
		if sc.parent == nil {
			delete(sc.vars, name)
			s.envCache = nil
			return nil
		}
		vr.Exported = false
	}
	sc.vars[name] = vr
	if vr.Exported || old.Exported {
		s.envCache = nil
	}
	return nil
}

func (s *Shell) setString(name, value string) error {
	return s.setVar(name, expand.Variable{Set: true, Kind: expand.String, Str: value})
}

func (s *Shell) get(name string) string { return environ{s}.Get(name).String() }

// environment is what child processes get, as KEY=value.
func (s *Shell) environment() []string {
	if s.envCache == nil {
		list := []string{}
		environ{s}.Each(func(name string, vr expand.Variable) bool {
			if vr.Exported && vr.IsSet() && vr.Kind == expand.String {
				list = append(list, name+"="+vr.Str)
			}
			return true
		})
		slices.Sort(list)
		s.envCache = list
	}
	return s.envCache
}

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

// sparse is an indexed array while it is changed.
type sparse map[int]string

func (a sparse) load(vr expand.Variable) {
	if vr.Kind == expand.String && vr.IsSet() {
		a[0] = vr.Str
		return
	}
	for i, v := range vr.List {
		if vr.Indexes != nil {
			i = vr.Indexes[i]
		}
		a[i] = v
	}
}

func (a sparse) put(i int, v string) { a[i] = v }

func (a sparse) next() int {
	n := 0
	for i := range a {
		n = max(n, i+1)
	}
	return n
}

func (a sparse) list() ([]string, []int) {
	keys := slices.Sorted(maps.Keys(a))
	list := make([]string, len(keys))
	dense := true
	for n, k := range keys {
		list[n] = a[k]
		dense = dense && n == k
	}
	if dense {
		return list, nil
	}
	return list, keys
}
