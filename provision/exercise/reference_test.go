package exercise

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// compiled is the schema as a validator that is not ours reads it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("exercise.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("exercise.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchema lets the schema judge the exercises that come with podium, and one with a field that does not exist.
func TestSchema(t *testing.T) {
	s := compiled(t)
	files, _ := filepath.Glob("../../labs/*/exercises/*/exercise.yaml")
	if len(files) == 0 {
		t.Fatal("no exercises found")
	}
	judge := func(text []byte) error {
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := judge(text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, wrong := range []string{valid + "colour: red\n", strings.Replace(valid, "from: 8080", "from: many", 1), "title: {en: a, ko: b}\nminutes: 3\n"} {
		if judge([]byte(wrong)) == nil {
			t.Errorf("the schema allows\n%s", wrong)
		}
	}
}

type described struct {
	Defs        map[string]described       `json:"$defs"`
	Properties  map[string]json.RawMessage `json:"properties"`
	Required    []string                   `json:"required"`
	Description string                     `json:"description"`
}

// TestReference compares README.md with the fields of exercise.yaml; -update writes it.
func TestReference(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s described
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("# exercise.yaml, field by field\n\nWritten from the types by `go test ./provision/exercise -run TestReference -update`. " +
		"[How to write an exercise](../../labs/EXERCISES.md) has a whole\none. Text, numbers and true or false can be written for the fields of checks; {{name}} in them stands for one of `vars`.\n")
	section(t, &b, "The file", s)
	for _, name := range slices.Sorted(maps.Keys(s.Defs)) {
		if len(s.Defs[name].Properties) > 0 {
			section(t, &b, name, s.Defs[name])
		}
	}
	if *update {
		if err := os.WriteFile("README.md", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("README.md")
	if err != nil || !bytes.Equal(got, b.Bytes()) {
		t.Error("README.md is not that of the types: run go test ./provision/exercise -run TestReference -update", err)
	}
}

func section(t *testing.T, b *bytes.Buffer, name string, d described) {
	t.Helper()
	fmt.Fprintf(b, "\n## %s\n\n| Field | What it is |\n|---|---|\n", name)
	raw := orderOf(t, d)
	for _, field := range raw {
		var of described
		if err := json.Unmarshal(d.Properties[field], &of); err != nil {
			t.Fatal(err)
		}
		if of.Description == "" {
			t.Errorf("%s.%s has no description", name, field)
		}
		required := ""
		if slices.Contains(d.Required, field) {
			required = " (required)"
		}
		fmt.Fprintf(b, "| `%s`%s | %s |\n", field, required, strings.ReplaceAll(of.Description, "|", `\|`))
	}
}

// orderOf lists the fields, those that are required first.
func orderOf(t *testing.T, d described) []string {
	t.Helper()
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(d.Properties)) {
		if !slices.Contains(d.Required, name) {
			rest = append(rest, name)
		}
	}
	return append(slices.Clone(d.Required), rest...)
}
