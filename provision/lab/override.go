package lab

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"podium/provision/folder"
)

// OverrideName is the file beside a lab.yaml that changes parts of it, for one classroom or one computer: a lab that
// came from somebody else stays as it is.
const OverrideName = "lab.override.yaml"

// overrideOf names the override of a description: lab.override.yaml of lab.yaml.
func overrideOf(file string) string {
	extension := filepath.Ext(file)
	return strings.TrimSuffix(file, extension) + ".override" + extension
}

// Override returns the override that counts for the description file, or an empty string where there is none.
func Override(file string) string {
	name := overrideOf(file)
	if !folder.At(filepath.Dir(name)).Exists(filepath.Base(name)) {
		return ""
	}
	return name
}

// readOverride reads the override of a description; no text where there is none.
func readOverride(file string) (name string, text []byte, err error) {
	name = overrideOf(file)
	text, err = readable(folder.At(filepath.Dir(name)).Read(filepath.Base(name), maxFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	return name, text, err
}

// overlay lays an override over a description, both as YAML. Fields are laid over each other one by one; a list takes
// the place of the whole list, but entries of the same name are laid over each other, and others are added.
type overlay struct {
	from map[*yaml.Node]bool // nodes that come from the override
}

// lay returns base with over laid over it. Neither is changed, because aliases may share their parts.
func (o overlay) lay(base, over *yaml.Node, depth int) *yaml.Node {
	base = unalias(base)
	if depth > maxDepth || over.Kind != base.Kind || over.Kind == yaml.ScalarNode {
		o.note(over, 0)
		return over
	}
	switch over.Kind {
	case yaml.MappingNode:
		return o.layFields(base, over, depth)
	case yaml.SequenceNode:
		if allNamed(base) && allNamed(over) {
			return o.layEntries(base, over, depth)
		}
	}
	o.note(over, 0)
	return over
}

func (o overlay) layFields(base, over *yaml.Node, depth int) *yaml.Node {
	both := *base
	both.Content = slices.Clone(base.Content)
	laid := map[string]bool{}
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		at := fieldAt(base, key.Value)
		if at < 0 || laid[key.Value] { // what stands twice in the override is left for the decoder to refuse
			o.note(key, 0)
			o.note(value, 0)
			both.Content = append(both.Content, key, value)
			continue
		}
		laid[key.Value] = true
		o.note(key, 0)
		both.Content[at], both.Content[at+1] = key, o.lay(base.Content[at+1], value, depth+1)
	}
	return &both
}

func (o overlay) layEntries(base, over *yaml.Node, depth int) *yaml.Node {
	both := *base
	both.Content = slices.Clone(base.Content)
	for _, entry := range over.Content {
		at := slices.IndexFunc(base.Content, func(n *yaml.Node) bool { return nameOf(n) == nameOf(entry) })
		if at < 0 {
			o.note(entry, 0)
			both.Content = append(both.Content, entry)
			continue
		}
		both.Content[at] = o.lay(base.Content[at], entry, depth+1)
	}
	return &both
}

// note remembers that a node and all in it come from the override.
func (o overlay) note(n *yaml.Node, depth int) {
	if o.from[n] || depth > 2*maxDepth {
		return
	}
	o.from[n] = true
	for _, part := range n.Content {
		o.note(part, depth+1)
	}
	if n.Alias != nil {
		o.note(n.Alias, depth+1)
	}
}

// allNamed reports whether a list has fields with a name in each entry, as nodes and steps have.
func allNamed(list *yaml.Node) bool {
	return !slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return nameOf(n) == "" })
}

func nameOf(entry *yaml.Node) string {
	entry = unalias(entry)
	if at := fieldAt(entry, "name"); at >= 0 {
		return unalias(entry.Content[at+1]).Value
	}
	return ""
}

// fieldAt is the index of a mapping's own field in its Content, or -1.
func fieldAt(n *yaml.Node, name string) int {
	if n.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i].Tag != "!!merge" {
			return i
		}
	}
	return -1
}

func unalias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
