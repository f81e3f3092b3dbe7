package shell

import (
	"maps"

	"mvdan.cc/sh/v3/expand"
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

func (sc *scope) root() *scope {
	for sc.parent != nil {
		sc = sc.parent
	}
	return sc
}
