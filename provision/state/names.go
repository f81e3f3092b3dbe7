package state

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
)

// label is what a lab's description allows as the name of a lab, node or step (RFC 1123).
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// checkNames refuses names that a description could not have: they become parts of paths and arguments of programs.
func (s State) checkNames() error {
	for what, name := range s.names() {
		if !label.MatchString(name) {
			return fmt.Errorf("%q is not the name of a %s", name, what)
		}
	}
	return nil
}

// names gives every name in the state, after what it is the name of.
func (s State) names() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		each := func(what string, names iter.Seq[string]) bool {
			for name := range names {
				if !yield(what, name) {
					return false
				}
			}
			return true
		}
		if s.Lab != "" && !yield("lab", s.Lab) {
			return
		}
		if !each("node", maps.Keys(s.Machines)) || !each("node", maps.Keys(s.Steps)) || !each("node", maps.Keys(s.Facts)) || !each("node", maps.Keys(s.Failures)) {
			return
		}
		for _, steps := range s.Failures {
			if !each("step", maps.Keys(steps)) {
				return
			}
		}
		for _, steps := range s.Steps {
			if !each("step", maps.Keys(steps)) {
				return
			}
		}
		for _, m := range s.Machines {
			if !each("step", maps.Keys(m.Plan)) {
				return
			}
		}
		for _, snapshot := range s.Snapshots {
			if !yield("snapshot", snapshot.Tag) || !each("node", slices.Values(snapshot.Nodes)) {
				return
			}
		}
		if s.Restoring != "" {
			yield("snapshot", s.Restoring)
		}
	}
}
