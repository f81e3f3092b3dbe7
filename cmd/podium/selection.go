package main

import (
	"errors"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"podium/provision/state"
)

// selection says which nodes a verb is about; nothing given means all. Nodes and roles together mean those of the nodes
// that have one of the roles.
type selection struct {
	nodes nodeWords
	roles nodeWords
}

// given reports whether a part of the lab was chosen.
func (s selection) given() bool { return len(s.nodes)+len(s.roles) > 0 }

// spelledOut lists the names given by --on, ranges name by name.
func (s selection) spelledOut() []string {
	var names []string
	for _, word := range s.nodes {
		names = append(names, spellOut(word)...)
	}
	return names
}

// nodeWords is the value of --on and --role: words with commas or blanks between them. Several flags add up.
type nodeWords []string

func (w *nodeWords) Type() string   { return "list" }
func (w *nodeWords) String() string { return strings.Join(*w, ",") }

// Set refuses an empty list, such as that of a variable without a value: it would mean all nodes.
func (w *nodeWords) Set(text string) error {
	words := splitWords(text)
	if len(words) == 0 {
		return errors.New("names nothing: write at least one name, or leave the flag out for all nodes")
	}
	*w = append(*w, words...)
	return nil
}

func splitWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// labNodes is the nodes to choose from, in the lab's order, and the roles of each.
type labNodes struct {
	names []string
	roles map[string][]string
}

// choose lists the chosen nodes in the lab's order. A name that the lab does not have is an error.
func (n labNodes) choose(s selection) ([]string, error) {
	if !s.given() {
		return n.names, nil
	}
	named := map[string]bool{}
	for _, word := range s.nodes {
		names, err := n.named(word)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			named[name] = true
		}
	}
	for _, role := range s.roles {
		if !slices.Contains(n.allRoles(), role) {
			return nil, usage("no node has the role %q: there are %s", role, strings.Join(n.allRoles(), ", "))
		}
	}
	var chosen []string
	for _, name := range n.names {
		hasRole := slices.ContainsFunc(n.roles[name], func(r string) bool { return slices.Contains(s.roles, r) })
		if (len(s.nodes) == 0 || named[name]) && (len(s.roles) == 0 || hasRole) {
			chosen = append(chosen, name)
		}
	}
	if len(chosen) == 0 {
		return nil, usage("none of the nodes %s has the role %s", s.nodes.String(), strings.Join(s.roles, " or ")).
			hinted("--on and --role together mean the nodes that both of them choose")
	}
	return chosen, nil
}

// named lists the nodes that a word means: a name, a range such as w1..w9, or a pattern such as w*.
func (n labNodes) named(word string) ([]string, error) {
	if strings.ContainsAny(word, "*?[") {
		var fit []string
		for _, name := range n.names {
			ok, err := path.Match(word, name)
			if err != nil {
				return nil, usage("%q is not a pattern: write one such as w* or n[1-3]", word)
			}
			if ok {
				fit = append(fit, name)
			}
		}
		if len(fit) == 0 {
			return nil, usage("no node of this lab fits %q: there are %s", word, listNames(n.names))
		}
		return fit, nil
	}
	names := spellOut(word)
	for _, name := range names {
		if !slices.Contains(n.names, name) {
			return nil, usage("this lab has no node %q: there are %s", name, listNames(n.names))
		}
	}
	return names, nil
}

func (n labNodes) allRoles() []string {
	var roles []string
	for _, name := range n.names {
		roles = append(roles, n.roles[name]...)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// nodes are the lab's machines as podium remembers them.
func (b *labSession) nodes() labNodes {
	n := labNodes{names: b.nodeNames(), roles: map[string][]string{}}
	for name, m := range b.known.Machines {
		n.roles[name] = m.Roles
	}
	return n
}

// selectNodes lists the chosen nodes in the lab's order.
func (b *labSession) selectNodes(s selection) ([]string, error) { return b.nodes().choose(s) }

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
	c.Flags().Var(&s.nodes, "on", "only these `nodes`, such as w1,w2 or w1..w9 or \"w*\"")
	c.Flags().Var(&s.roles, "role", "only nodes with one of these `roles`, such as worker; with --on: those of them")
	c.Flags().Var(&s.nodes, "node", "as --on, which takes its place")
	if err := c.Flags().MarkHidden("node"); err != nil {
		panic(err) // the flag was not defined: a mistake in this package
	}
	a.completeNodes(c, "on")
	a.completeRoles(c, "role")
}

// labOf finds the lab that a verb is about. A node where a lab is expected (podium halt w1) is told by how to name it.
func (a *app) labOf(c *cobra.Command, given []string) (labRef, error) {
	where, err := a.folder(given)
	if err == nil || len(given) == 0 {
		return where, err
	}
	here, hereErr := a.folder(nil)
	if hereErr != nil || !a.isNode(here, given[0]) {
		return where, err
	}
	rest := ""
	if c.ArgsLenAtDash() >= 0 {
		rest = " -- ..."
	}
	if c.Flags().Lookup("on") == nil {
		return where, usage("%s is a node of this lab, and %s is about whole labs", given[0], verbOf(c)).hinted("for the lab: %s", c.CommandPath())
	}
	return where, usage("%s is a node of this lab, not a lab", given[0]).hinted("for that node: %s --on %s%s", c.CommandPath(), given[0], rest)
}

// isNode reports whether a word names a node of the lab, as it was made or is described.
func (a *app) isNode(where labRef, word string) bool {
	names := a.namesIn(where)
	for _, name := range spellOut(word) {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}
