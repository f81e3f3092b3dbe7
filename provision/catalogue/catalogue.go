// Package catalogue says where the software of a lab comes from: versions, addresses, signing keys, what goes together,
// each with the page it was read from and the day. All of it stands in catalogue.yaml. The package is a leaf, so that
// the description can be checked against it.
//
// The guest scripts have the same addresses written out, for people who read them; a test compares the two.
package catalogue

import (
	"bytes"
	_ "embed" // catalogue.yaml
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed catalogue.yaml
var text []byte

// Catalogue is catalogue.yaml.
type Catalogue struct {
	Sources       []Source       `yaml:"sources" json:"sources"`
	Components    []Component    `yaml:"components" json:"components"`
	Distributions []Distribution `yaml:"distributions" json:"distributions"`
	Rules         []Rule         `yaml:"rules" json:"rules"`
	Dead          []Dead         `yaml:"dead" json:"dead"`
	Sets          []Set          `yaml:"sets" json:"sets"`
}

// Source is one place that packages and files come from.
type Source struct {
	Name    string `yaml:"name" json:"name"`
	URL     string `yaml:"url" json:"url"`                           // what mirrors.MIRROR of lab.yaml replaces
	Mirror  string `yaml:"mirror,omitempty" json:"mirror,omitempty"` // key of the description; empty: there is none
	Key     *Key   `yaml:"key,omitempty" json:"key,omitempty"`       // nil: its files are not signed
	Try     string `yaml:"try,omitempty" json:"try,omitempty"`       // path below URL that answers while the source lives
	From    string `yaml:"from" json:"from"`
	Checked Date   `yaml:"checked" json:"checked"`
}

// Key is the OpenPGP key that signs a source.
type Key struct {
	Path        string `yaml:"path" json:"path"`                                   // below the source's URL; a template, see Expand
	Minor       string `yaml:"minor,omitempty" json:"minor,omitempty"`             // component whose versions {minor} in Path goes through
	Fingerprint string `yaml:"fingerprint,omitempty" json:"fingerprint,omitempty"` // of the primary key, 40 hexadecimal digits; empty: no page gives it
	Expires     Date   `yaml:"expires,omitempty" json:"expires,omitempty"`         // empty: never, or no page gives it
}

// Component is one piece of software.
type Component struct {
	Name         string            `yaml:"name" json:"name"`
	About        string            `yaml:"about" json:"about"`                                   // one line for people
	Legacy       bool              `yaml:"legacy,omitempty" json:"legacy,omitempty"`             // kept although its makers have given it up
	Distribution string            `yaml:"distribution,omitempty" json:"distribution,omitempty"` // its package in the distribution's archive, where podium takes that
	Versions     []Release         `yaml:"versions,omitempty" json:"versions,omitempty"`         // oldest first; none: whatever the distribution has
	URLs         map[string]string `yaml:"urls,omitempty" json:"urls,omitempty"`                 // by purpose; templates, see Expand
	SHA256       map[string]string `yaml:"sha256,omitempty" json:"sha256,omitempty"`             // of its files, by "VERSION PURPOSE" or "VERSION PURPOSE ARCHITECTURE"
	Images       map[string]string `yaml:"images,omitempty" json:"images,omitempty"`             // container images it needs, by what runs in them; templates
	From         string            `yaml:"from" json:"from"`
	Checked      Date              `yaml:"checked" json:"checked"`
}

// Release is a version of a component, or a series of them such as 2.3.
type Release struct {
	Version  string `yaml:"version" json:"version"`
	Released Date   `yaml:"released,omitempty" json:"released,omitempty"`
	End      Date   `yaml:"end,omitempty" json:"end,omitempty"` // last day of its support; empty: its makers name none
	Default  bool   `yaml:"default,omitempty" json:"default,omitempty"`
}

// Set is what goes together with one minor version of Kubernetes.
type Set struct {
	Kubernetes string            `yaml:"kubernetes" json:"kubernetes"` // 1.36
	Containerd []string          `yaml:"containerd" json:"containerd"` // series, oldest first
	With       map[string]string `yaml:"with" json:"with"`             // version by component
	Tested     []Tested          `yaml:"tested" json:"tested"`
}

// Tested says how it is known that parts of a set go together.
type Tested struct {
	With []string `yaml:"with" json:"with"` // components
	How  string   `yaml:"how" json:"how"`   // real nodes, simulator or upstream
	From string   `yaml:"from,omitempty" json:"from,omitempty"`
}

// Date is a day, as YYYY-MM-DD; empty where none is known. Dates compare as strings do.
type Date string

// DateOf is the day of an instant, at UTC.
func DateOf(t time.Time) Date { return Date(t.UTC().Format(time.DateOnly)) }

// Time is the day's beginning at UTC; the zero time for the empty date.
func (d Date) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d)) // UnmarshalYAML let nothing else in
	return t
}

// UnmarshalYAML refuses what is not a day.
func (d *Date) UnmarshalYAML(node *yaml.Node) error {
	if _, err := time.Parse(time.DateOnly, node.Value); err != nil {
		return fmt.Errorf("line %d: %q is not a day such as 2026-11-20", node.Line, node.Value)
	}
	*d = Date(node.Value)
	return nil
}

// Parse reads a catalogue strictly: a key that it does not know is an error.
func Parse(text []byte) (Catalogue, error) {
	var c Catalogue
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Catalogue{}, fmt.Errorf("catalogue of versions: %w", err)
	}
	return c, nil
}

// All is the catalogue, read at the first call. It is never changed.
func All() Catalogue { return all() }

// The catalogue is a part of the program: one that cannot be read is a fault of the build, and every version in it
// would be empty.
var all = sync.OnceValue(func() Catalogue {
	c, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return c
})
