package shell

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
)

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
