package check

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"podium/provision/wording"
)

//go:embed match.go
var matchSource string

// Value is a text, number or boolean; {{name}} in it stands for one of vars.
type Value string

// JSONSchema allows each of them.
func (Value) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number", "boolean"}}}
}

// Number is a whole number from 0 on.
type Number struct {
	N     int
	Given bool
}

// UnmarshalText reads it.
func (n *Number) UnmarshalText(text []byte) error {
	v, err := strconv.Atoi(string(text))
	if err != nil || v < 0 || v > 1_000_000 {
		return fmt.Errorf("%q is not a whole number from 0 on: write digits only", text)
	}
	*n = Number{v, true}
	return nil
}

// JSONSchema describes it.
func (Number) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: "0"}
}

// Match is what a text has to be like; all of it has to be true.
type Match struct {
	Is       Value  `yaml:"is,omitempty"`       // exactly that, but for blanks around it
	Not      Value  `yaml:"not,omitempty"`      // anything but that
	Contains string `yaml:"contains,omitempty"` // has that in it
	Lacks    string `yaml:"lacks,omitempty"`    // does not have that in it
	Matches  string `yaml:"matches,omitempty"`  // fits that regular expression of Go (RE2); (?m) lets ^ and $ stand for lines
	Min      Value  `yaml:"min,omitempty"`      // a number, that or more
	Max      Value  `yaml:"max,omitempty"`      // a number, that or less
}

// faults checks the fields; path is the Match's own.
func (m *Match) faults(path string) []Fault {
	if m == nil {
		return nil
	}
	if *m == (Match{}) {
		return []Fault{{path, "", "asks for nothing: write is, contains, matches, min or another field"}}
	}
	var all []Fault
	all = append(all, pattern(path+".matches", m.Matches)...)
	for _, name := range []string{"min", "max"} {
		v := map[string]Value{"min": m.Min, "max": m.Max}[name]
		if _, err := strconv.ParseFloat(string(v), 64); v != "" && err != nil {
			all = append(all, Fault{path + "." + name, string(v), "is not a number: write one such as 3 or 0.5"})
		}
	}
	return all
}

// judge compares a text; ok says that it is as wanted. What names the text in the sentence.
func (m *Match) judge(what wording.Sentence, seen string) (v Verdict, ok bool) {
	if m == nil {
		return Verdict{}, true
	}
	seen = strings.TrimSpace(seen)
	switch {
	case m.Is != "" && seen != strings.TrimSpace(string(m.Is)):
		return fails("is", what, shown(seen), m.Is), false
	case m.Not != "" && seen == strings.TrimSpace(string(m.Not)):
		return fails("is-not", what, shown(seen)), false
	case m.Contains != "" && !strings.Contains(seen, m.Contains):
		return fails("contains", what, m.Contains, shown(seen)), false
	case m.Lacks != "" && strings.Contains(seen, m.Lacks):
		return fails("lacks", what, m.Lacks), false
	case m.Matches != "" && !matches(m.Matches, seen):
		return fails("matches", what, m.Matches, shown(seen)), false
	}
	return m.judgeNumber(what, seen)
}

func (m *Match) judgeNumber(what wording.Sentence, seen string) (v Verdict, ok bool) {
	if m.Min == "" && m.Max == "" {
		return Verdict{}, true
	}
	n, err := strconv.ParseFloat(seen, 64)
	least, leastErr := strconv.ParseFloat(string(m.Min), 64)
	most, mostErr := strconv.ParseFloat(string(m.Max), 64)
	switch {
	case err != nil || n != n: // not a number
		return fails("not-a-number", what, shown(seen)), false
	case leastErr == nil && n < least:
		return fails("min", what, seen, m.Min), false
	case mostErr == nil && n > most:
		return fails("max", what, seen, m.Max), false
	}
	return Verdict{}, true
}

// shown is a value in a sentence.
func shown(seen string) any {
	if seen == "" {
		return wording.Say("nothing")
	}
	return seen
}

func matches(expression, text string) bool {
	re, err := regexp.Compile(expression)
	return err == nil && re.MatchString(text)
}

// pattern checks a regular expression.
func pattern(path, expression string) []Fault {
	if _, err := regexp.Compile(expression); err != nil {
		return []Fault{{path, expression, "is not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")}}
	}
	return nil
}

// missing reports a field that has to be there.
func missing(path, value, example string) []Fault {
	if strings.TrimSpace(value) != "" {
		return nil
	}
	return []Fault{{path, "", "is missing: write one such as " + example}}
}

// whole checks a number that vars may have filled in.
func whole(path string, v Value, least, most int) []Fault {
	if v == "" {
		return nil
	}
	if n, err := strconv.Atoi(string(v)); err != nil || n < least || n > most {
		return []Fault{{path, string(v), fmt.Sprintf("is not a whole number from %d to %d", least, most)}}
	}
	return nil
}

// number is a value that whole has checked.
func (v Value) number() int {
	n, _ := strconv.Atoi(string(v))
	return n
}

// wants is a boolean that is true unless the author wrote false.
func wants(b *bool) bool { return b == nil || *b }

// oneOf checks a word.
func oneOf(path, value string, words ...string) []Fault {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	return []Fault{{path, value, "is not known: write " + strings.Join(words, ", ")}}
}
