package main

import (
	"slices"
	"strings"

	"podium/provision/state"

	"github.com/spf13/cobra"
)

// selection says which nodes a verb is about; nothing given means all.
type selection struct {
	nodes []string
	roles []string
}

// selectNodes lists the chosen nodes in the lab's order. A name that the lab does not have is an error.
func (b *labSession) selectNodes(s selection) ([]string, error) {
	all := b.nodeNames()
	var named []string
	for _, word := range s.nodes {
		named = append(named, spellOut(word)...)
	}
	s.nodes = named
	for _, name := range s.nodes {
		if !slices.Contains(all, name) {
			return nil, usage("this lab has no node %q: there are %s", name, listNames(all))
		}
	}
	for _, role := range s.roles {
		if !slices.ContainsFunc(all, func(n string) bool { return slices.Contains(b.known.Machines[n].Roles, role) }) {
			return nil, usage("no node has the role %q: there are %s", role, strings.Join(b.roles(), ", "))
		}
	}
	if len(s.nodes)+len(s.roles) == 0 {
		return all, nil
	}
	var chosen []string
	for _, name := range all {
		hasRole := slices.ContainsFunc(b.known.Machines[name].Roles, func(r string) bool { return slices.Contains(s.roles, r) })
		if hasRole || slices.Contains(s.nodes, name) {
			chosen = append(chosen, name)
		}
	}
	return chosen, nil
}

// roles lists the roles that the lab's nodes have.
func (b *labSession) roles() []string {
	var roles []string
	for _, m := range b.known.Machines {
		roles = append(roles, m.Roles...)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// snapshot finds a snapshot by name; the empty name is the one that up took.
func (b *labSession) snapshot(tag string) (state.Snapshot, error) {
	var tags []string
	for _, s := range b.known.Snapshots {
		if s.Tag == tag || tag == "" && s.Auto && !s.Incomplete {
			return s, nil
		}
		tags = append(tags, s.Tag)
	}
	switch {
	case len(tags) == 0 && tag != "":
		return state.Snapshot{}, usage("no snapshot is called %q: this lab has none", tag).hinted("take one: podium snapshot save%s %s", b.arg, tag)
	case len(tags) == 0:
		return state.Snapshot{}, fail(exitFailed, "this lab has no snapshot").hinted("take one: podium snapshot save%s NAME", b.arg)
	case tag == "":
		return state.Snapshot{}, fail(exitFailed, "up took no snapshot of this lab: there are %s", strings.Join(tags, ", ")).
			hinted("name one: podium reset%s --to %s", b.arg, tags[len(tags)-1])
	}
	return state.Snapshot{}, usage("no snapshot is called %q: there are %s", tag, strings.Join(tags, ", "))
}

// addSelection gives a verb the flags that choose nodes.
func (a *app) addSelection(c *cobra.Command, s *selection) {
	c.Flags().StringSliceVar(&s.nodes, "on", nil, "only these `nodes`, such as w1,w2 or w1..w9")
	c.Flags().StringSliceVar(&s.roles, "role", nil, "only nodes with one of these `roles`, such as worker")
	a.completeNodes(c, "on")
	a.completeRoles(c, "role")
}
