package exercise

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"podium/provision/lab"
)

// SeedSize is the length of a lab's seed in bytes.
const SeedSize = 32

// Values gives the exercise's values in a lab: those of vars, by HMAC-SHA256 of the seed, and what every lab knows.
func (e *Exercise) Values(l lab.Lab, seed []byte) map[string]string {
	values := fixed(l)
	for name, v := range e.Vars {
		values[name] = v.value(l, digest(seed, e.Name, name))
	}
	return values
}

// fixed are the values that need no seed.
func fixed(l lab.Lab) map[string]string {
	values := map[string]string{"lab": l.Name, "user": l.User}
	for _, m := range lab.Machines(l) {
		values["address_"+strings.ReplaceAll(m.Name, "-", "_")] = m.Address.String()
	}
	return values
}

// digest is the same for the same seed, exercise and name. The first word changes when the derivation does.
func digest(seed []byte, exercise, name string) []byte {
	mac := hmac.New(sha256.New, seed)
	fmt.Fprintf(mac, "podium exercise 1\x00%s\x00%s", exercise, name)
	return mac.Sum(nil)
}

// value takes from a digest; below 2^64 possible values every one is as likely as the others, but for a share of 2^-40.
func (v Var) value(l lab.Lab, digest []byte) string {
	n := binary.BigEndian.Uint64(digest)
	pick := func(from []string) string {
		if len(from) == 0 {
			return ""
		}
		return from[n%uint64(len(from))]
	}
	switch {
	case len(v.Choose) > 0:
		return string(v.Choose[n%uint64(len(v.Choose))])
	case v.Hex.N > 0:
		return hex.EncodeToString(digest)[:min(v.Hex.N, 64)]
	case v.Node != "":
		return pick(NodesOf(l, v.Node))
	case v.To.N >= v.From.N:
		return fmt.Sprint(v.From.N + int(n%uint64(v.To.N-v.From.N+1)))
	}
	return ""
}

// NodesOf lists the nodes that a target means: a name, a role or all.
func NodesOf(l lab.Lab, on string) []string {
	var names []string
	for _, m := range lab.Machines(l) {
		if on == "all" || m.Name == on || m.HasRole(on) {
			names = append(names, m.Name)
		}
	}
	return names
}

var (
	varName     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)
	placeholder = regexp.MustCompile(`\{\{ *([A-Za-z_][A-Za-z0-9_-]*) *\}\}`)
)

// reserved are names of variables that programs on the node go by.
var reserved = []string{"path", "home", "user", "lang", "lab", "shell", "term", "ifs", "env", "bash_env", "lc_all", "kubeconfig", "tmpdir", "pwd", "ps1", "uid", "random", "seconds", "hostname"}

// vars checks the values.
func (v *validator) vars() {
	for name, of := range v.exercise.Vars {
		path := "vars." + name
		switch {
		case !varName.MatchString(name):
			v.bad(path, "", "%q is not the name of a value: write small letters, digits and _, beginning with a letter", name)
		case slices.Contains(reserved, name), strings.HasPrefix(name, "address_"), strings.HasPrefix(name, "podium"):
			v.bad(path, "", "%q has a meaning of its own on nodes or in podium: choose another name", name)
		}
		ways := 0
		for _, given := range []bool{of.From.Given || of.To.Given, len(of.Choose) > 0, of.Hex.Given, of.Node != ""} {
			if given {
				ways++
			}
		}
		switch {
		case ways != 1:
			v.bad(path, "", "needs exactly one of {from, to}, choose, hex and node: write one such as {from: 3, to: 5}")
		case (of.From.Given || of.To.Given) && (!of.From.Given || !of.To.Given || of.To.N < of.From.N):
			v.bad(path, "", "needs from and to, and to is not the smaller one: write one such as {from: 3, to: 5}")
		case of.Hex.Given && (of.Hex.N < 1 || of.Hex.N > 64):
			v.bad(path+".hex", fmt.Sprint(of.Hex.N), "is not a number of digits from 1 to 64")
		case of.Node != "" && len(NodesOf(v.lab, of.Node)) == 0:
			v.bad(path+".node", of.Node, "is neither a node of this lab nor a role of one")
		}
	}
}

// sample are values as some lab could have them, to check what is filled with them.
func (v *validator) sample() map[string]string { return v.exercise.Values(v.lab, nil) }

// fillable reports placeholders in a field that stand for nothing.
func (v *validator) fillable(path, text string) {
	for _, name := range v.unknown(text) {
		v.bad(path, "", "{{%s}} stands for nothing: %s", name, suggestion(name, v.valueNames()))
	}
}

// placeholders reports those of a file.
func (v *validator) placeholders(file, text string) {
	for _, name := range v.unknown(text) {
		before, _, _ := strings.Cut(text, "{{"+name)
		v.problems = append(v.problems, lab.Problem{
			File: file, Line: strings.Count(before, "\n") + 1, Col: len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1,
			Message: fmt.Sprintf("{{%s}} stands for nothing: %s", name, suggestion(name, v.valueNames())),
		})
	}
}

func (v *validator) unknown(text string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(v.valueNames(), m[1]) && !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

func (v *validator) valueNames() []string {
	return slices.Sorted(maps.Keys(v.sample()))
}

// FillText puts values into a text.
func FillText(text string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := values[placeholder.FindStringSubmatch(found)[1]]; ok {
			return value
		}
		return found
	})
}

// Fill puts values into every text of a description and gives the copy.
func Fill[T any](of T, values map[string]string) T {
	filled := fill(reflect.ValueOf(of), func(text string) string { return FillText(text, values) })
	return filled.Interface().(T)
}

func fill(v reflect.Value, change func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(change(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(fill(v.Elem(), change))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name == "Body" || name == "Bodies" || name == "Vars" {
				out.Field(i).Set(v.Field(i)) // scripts stay as their author wrote them
				continue
			}
			out.Field(i).Set(fill(v.Field(i), change))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(fill(v.Index(i), change))
			}
		}
	default:
		out.Set(v)
	}
	return out
}

// stringsOf lists every text of a description.
func stringsOf(of any) []string {
	var all []string
	fill(reflect.ValueOf(of).Elem(), func(text string) string {
		all = append(all, text)
		return text
	})
	return all
}

// Environment is what scripts on nodes have of the values: $REPLICAS for replicas.
func Environment(values map[string]string) map[string]string {
	env := map[string]string{}
	for name, value := range values {
		if name != "user" && name != "lab" {
			env[strings.ToUpper(name)] = value
		}
	}
	return env
}
