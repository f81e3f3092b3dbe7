package lab

import (
	"encoding"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits that keep aliases of aliases from growing without end.
const (
	maxValues = 100_000 // values in one description, aliases expanded
	maxDepth  = 16      // the deepest field of a Lab is four levels down
)

// decoder fills a Lab from YAML nodes. It goes on after a problem, to find them all.
type decoder struct {
	at       Positions
	problems Problems
	budget   int
	spent    bool

	over     overlay // what came from the override
	overFile string
}

func newDecoder(file string) *decoder {
	return &decoder{at: Positions{File: file, marks: map[string]mark{}, flawed: map[string]bool{}, sources: map[string]string{}}, budget: maxValues}
}

// Decode fills into, a pointer to a struct, from the text of another description than lab.yaml, as strictly as Parse
// reads that. fields are those that it cannot leave out; whether they are there the caller checks. The error is a
// Problems.
func Decode(file string, text []byte, into any, fields ...string) (Positions, error) {
	d := newDecoder(file)
	root, problem := document(file, text, fields...)
	if problem != nil {
		d.at.flawed[""] = true
		return d.at, Problems{*problem}
	}
	d.decode("", root, reflect.ValueOf(into).Elem(), 0)
	return d.at, d.problems.Err()
}

// file names the file that a node stands in.
func (d *decoder) file(n *yaml.Node) string {
	if d.over.from[n] {
		return d.overFile
	}
	return d.at.File
}

// decode sets v, a part of a Lab that is called path, from n.
func (d *decoder) decode(path string, n *yaml.Node, v reflect.Value, depth int) {
	if d.spent {
		return
	}
	if d.budget--; d.budget < 0 || depth > maxDepth {
		d.giveUp(path, n)
		return
	}
	if n.Kind == yaml.AliasNode {
		d.decode(path, n.Alias, v, depth+1)
		return
	}
	if _, known := d.at.marks[path]; !known {
		d.mark(path, n)
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.null(path, n, v)
		return
	}
	if isScalar(v) {
		d.scalar(path, n, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(path, n, v.Elem(), depth)
	case reflect.Struct:
		d.fields(path, n, v, depth)
	case reflect.Map:
		d.entries(path, n, v, depth)
	case reflect.Slice:
		d.list(path, n, v, depth)
	default:
		d.scalar(path, n, v)
	}
}

// isScalar reports whether a type reads itself from a single value, whatever it is made of.
func isScalar(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// giveUp ends the reading of a description that aliases make too large. What was read says nothing then.
func (d *decoder) giveUp(path string, n *yaml.Node) {
	d.spent = true
	d.refuse(path, n, "", "aliases make the description larger than it can be: write the values out")
	d.at.flawed[""] = true
}

// null is a field with nothing after its colon: an empty section or list, but never an empty value.
func (d *decoder) null(path string, n *yaml.Node, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct && isScalar(v):
		d.refuse(path, n, "", "has no value: write one, or leave it out")
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		v.Set(reflect.New(v.Type().Elem()))
	case v.Kind() == reflect.Struct, v.Kind() == reflect.Map, v.Kind() == reflect.Slice:
	default:
		d.refuse(path, n, "", "has no value: write one, or leave it out")
	}
}

// fields fills a struct from a mapping, merged mappings (<<) included.
func (d *decoder) fields(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.MappingNode {
		d.refuse(path, n, shown(n), fmt.Sprintf("is %s, not fields: write fields such as %s", kindOf(n), exampleFields(v.Type())))
		return
	}
	known := fieldsOf(v.Type())
	set := map[string]bool{}
	for _, pair := range d.pairs(path, n, depth) {
		key, value := pair.key, pair.value
		at := join(path, key.Value)
		if pair.merged && set[key.Value] {
			continue
		}
		i, ok := known[key.Value]
		if !ok && path == "" && strings.HasPrefix(key.Value, "x-") {
			continue // a place for anchors, as in compose files: what nodes share
		}
		if !ok {
			d.unknownField(at, path, key, known)
			continue
		}
		if set[key.Value] {
			d.refuse(at, key, "", "stands here a second time: keep one of the two")
			continue
		}
		set[key.Value] = true
		if value.Kind == yaml.MappingNode || value.Kind == yaml.SequenceNode || value.Kind == yaml.AliasNode {
			d.at.marks[at] = mark{file: d.file(key), line: key.Line, col: key.Column}
		}
		d.decode(at, value, v.Field(i), depth+1)
	}
}

// pair is one field of a mapping.
type pair struct {
	key, value *yaml.Node
	merged     bool // came in by <<: a field written out wins over it
}

// pairs lists a mapping's fields, those written out first.
func (d *decoder) pairs(path string, n *yaml.Node, depth int) []pair {
	var own, merged []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Tag == "!!merge":
			for _, source := range mergeSources(value) {
				if source.Kind != yaml.MappingNode {
					d.refuse(path, key, "", "<< must name fields defined with & before: write <<: *name")
					continue
				}
				if d.budget -= len(source.Content); d.spent || d.budget < 0 || depth > maxDepth {
					if !d.spent {
						d.giveUp(path, key)
					}
					return nil
				}
				for _, p := range d.pairs(path, source, depth+1) {
					merged = append(merged, pair{p.key, p.value, true})
				}
			}
		case key.Kind != yaml.ScalarNode:
			d.refuse(path, key, "", fmt.Sprintf("%s stands where the name of a field should be: write name: value", kindOf(key)))
		default:
			own = append(own, pair{key, value, false})
		}
	}
	return append(own, merged...)
}

// mergeSources are the mappings that a << names: one, or a list of them.
func mergeSources(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode {
		return []*yaml.Node{n}
	}
	var sources []*yaml.Node
	for _, entry := range n.Content {
		if entry.Kind == yaml.AliasNode {
			entry = entry.Alias
		}
		sources = append(sources, entry)
	}
	return sources
}

// unknownField reports a field that does not exist, and keeps Validate from missing the one that was meant.
func (d *decoder) unknownField(at, path string, key *yaml.Node, known map[string]int) {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	near := nearest(key.Value, names)
	message := "is not a field here: write one of " + strings.Join(names, ", ")
	if near != "" {
		message = "is not a field here: did you mean " + near + "?"
		d.at.flawed[join(path, near)] = true
	}
	d.refuse(at, key, "", message)
}

// entries fills a map of strings, or of structs.
func (d *decoder) entries(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.MappingNode {
		d.refuse(path, n, shown(n), fmt.Sprintf("is %s: write name: value lines", kindOf(n)))
		return
	}
	if len(n.Content) > 0 { // an empty map is none, as in a lab that leaves the field out
		v.Set(reflect.MakeMap(v.Type()))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			d.refuse(path, key, "", fmt.Sprintf("%s stands where a name should be: write name: value", kindOf(key)))
		case v.MapIndex(reflect.ValueOf(key.Value)).IsValid():
			d.refuse(at, key, "", "stands here a second time: keep one of the two")
		case v.Type().Elem().Kind() == reflect.Struct:
			element := reflect.New(v.Type().Elem()).Elem()
			d.decode(at, value, element, depth+1)
			v.SetMapIndex(reflect.ValueOf(key.Value), element)
		case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
			d.refuse(at, value, "", "needs text as its value: write "+key.Value+": \"...\"")
		default:
			d.mark(at, value)
			v.SetMapIndex(reflect.ValueOf(key.Value), reflect.ValueOf(value.Value))
		}
	}
}

// list fills a slice. A single value where a list belongs is refused rather than guessed at.
func (d *decoder) list(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.SequenceNode {
		write := "a list, one - entry a line"
		if n.Kind == yaml.ScalarNode {
			write = "[" + n.Value + "]"
		}
		d.refuse(path, n, shown(n), fmt.Sprintf("is %s, not a list: write %s", kindOf(n), write))
		return
	}
	for i, entry := range n.Content {
		element := reflect.New(v.Type().Elem()).Elem()
		at := fmt.Sprintf("%s[%d]", path, i)
		d.mark(at, entry)
		if entry.Kind == yaml.ScalarNode && entry.Tag == "!!null" {
			d.refuse(at, entry, "", "is an empty entry: fill it or leave it out")
		} else {
			d.decode(at, entry, element, depth+1)
		}
		v.Set(reflect.Append(v, element))
	}
}

// scalar sets a string, number, boolean or Size.
func (d *decoder) scalar(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.refuse(path, n, "", fmt.Sprintf("holds %s: write a single value", kindOf(n)))
		return
	}
	if n.Value == "" {
		d.refuse(path, n, "", "has no value: write one, or leave it out")
		return
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := t.UnmarshalText([]byte(n.Value)); err != nil {
			d.refuse(path, n, n.Value, strings.TrimPrefix(err.Error(), strconv.Quote(n.Value)+" "))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Int:
		i, err := strconv.ParseInt(n.Value, 10, bits.UintSize)
		if err != nil {
			d.refuse(path, n, n.Value, "is not a whole number: write digits only")
			return
		}
		if i < 1 { // true of every number in a lab
			d.refuse(path, n, n.Value, "is too small: write 1 or more, or leave it out")
			return
		}
		v.SetInt(i)
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			d.refuse(path, n, n.Value, "is neither true nor false: write one of them")
			return
		}
		v.SetBool(n.Value == "true")
	default:
		panic("lab: no way to read a " + v.Type().String() + " from YAML")
	}
}

func (d *decoder) mark(path string, n *yaml.Node) {
	d.at.marks[path] = mark{file: d.file(n), line: n.Line, col: n.Column, value: shown(n)}
}

// refuse reports a problem and keeps Validate from saying more about the same field.
func (d *decoder) refuse(path string, n *yaml.Node, value, message string) {
	d.at.flawed[path] = true
	d.problems = append(d.problems, Problem{File: d.file(n), Line: n.Line, Col: n.Column, Path: path, Value: value, Message: message})
}

// fieldsOf maps the names that lab.yaml uses to field numbers of a struct.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "-" && name != "" {
			fields[name] = i
		}
	}
	return fields
}

// exampleFields shows the first field of a struct the way it is written.
func exampleFields(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Field(0).Tag.Get("yaml"), ",")
	return "{" + name + ": ...}"
}

// kindOf names what a node is, for people.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "fields"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// shown is a scalar as messages quote it; empty when it is none or too long.
func shown(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || len(n.Value) > 80 {
		return ""
	}
	return n.Value
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
