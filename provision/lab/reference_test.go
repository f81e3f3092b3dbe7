package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReference compares README.md with the fields of lab.yaml, as the schema has them; -update writes it.
func TestReference(t *testing.T) {
	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	want, err := reference(schema)
	if err != nil {
		t.Fatal(err)
	}
	const file = "README.md"
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("README.md is not that of the types: run go test ./provision/lab -run TestReference -update")
	}
}

// described is what the reference reads of a schema.
type described struct {
	Defs        map[string]described `json:"$defs"`
	Properties  properties           `json:"properties"`
	Required    []string             `json:"required"`
	Description string               `json:"description"`
	Ref         string               `json:"$ref"`
	AnyOf       []described          `json:"anyOf"`
	Items       *described           `json:"items"`
	Type        any                  `json:"type"`
	Enum        []any                `json:"enum"`
	Default     any                  `json:"default"`
	Additional  json.RawMessage      `json:"additionalProperties"`
}

// properties are fields in the order of the schema, which is that of the types.
type properties []field

type field struct {
	Name string
	Of   described
}

// UnmarshalJSON keeps the order.
func (p *properties) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var of described
		if err := d.Decode(&of); err != nil {
			return err
		}
		*p = append(*p, field{Name: fmt.Sprint(name), Of: of})
	}
	return nil
}

// reference writes the fields of lab.yaml as Markdown, a table a section.
func reference(schema []byte) ([]byte, error) {
	var s described
	if err := json.Unmarshal(schema, &s); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# lab.yaml, field by field\n\nWritten from the types by `go test ./provision/lab -run TestReference -update`. " +
		"[How to write a lab](../../labs/README.md) has the examples;\n`podium schema` gives editors the same as a JSON Schema, and `podium validate -o yaml` shows a lab with every default filled in.\n")
	table(&b, "The file", s)
	for _, name := range sections(s) {
		table(&b, name, s.Defs[name])
	}
	return b.Bytes(), nil
}

// sections lists the definitions that have fields, in the order in which the file meets them.
func sections(s described) []string {
	var names []string
	seen := map[string]bool{}
	var walk func(o described)
	walk = func(o described) {
		for _, f := range o.Properties {
			name := refOf(f.Of)
			if name == "" && f.Of.Items != nil {
				name = refOf(*f.Of.Items)
			}
			if name != "" && !seen[name] && len(s.Defs[name].Properties) > 0 {
				seen[name] = true
				names = append(names, name)
				walk(s.Defs[name])
			}
		}
	}
	walk(s)
	return names
}

func table(b *bytes.Buffer, title string, o described) {
	fmt.Fprintf(b, "\n## %s\n\n| Field | What it is | Kind | Default |\n|---|---|---|---|\n", title)
	for _, f := range o.Properties {
		name := "`" + f.Name + "`"
		for _, r := range o.Required {
			if r == f.Name {
				name += " (required)"
			}
		}
		fallback := ""
		if f.Of.Default != nil {
			fallback = fmt.Sprintf("`%v`", f.Of.Default)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, cell(f.Of.Description), cell(takes(f.Of)), cell(fallback))
	}
}

// cell keeps a text within its cell.
func cell(text string) string {
	return strings.NewReplacer("\n", " ", "|", "\\|", "<", "&lt;").Replace(text)
}

func refOf(o described) string {
	for _, of := range append([]described{o}, o.AnyOf...) {
		if name, ok := strings.CutPrefix(of.Ref, "#/$defs/"); ok {
			return name
		}
	}
	return ""
}

// takes is what a field takes, in a few words.
func takes(o described) string {
	if name := refOf(o); name == "Size" {
		return "size, such as 3GiB"
	} else if name != "" {
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	}
	if len(o.Enum) > 0 {
		var words []string
		for _, w := range o.Enum {
			words = append(words, fmt.Sprintf("`%v`", w))
		}
		return strings.Join(words, ", ")
	}
	kind := fmt.Sprint(o.Type)
	switch {
	case strings.Contains(kind, "array") && o.Items != nil:
		return "list of " + takes(*o.Items)
	case strings.Contains(kind, "object"):
		return "map"
	case strings.Contains(kind, "string"):
		return "text"
	case strings.Contains(kind, "integer"):
		return "number"
	case strings.Contains(kind, "boolean"):
		return "true or false"
	}
	return ""
}
