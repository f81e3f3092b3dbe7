// Package check is the kinds of check that an exercise can ask for. A kind is two things: a probe, a few lines of bash that
// print what a node is like and change nothing, and a judge in Go that compares this with what is wanted. So each kind is
// tested against recorded answers, and podium check --explain can show what it runs.
package check

import (
	_ "embed"
	"reflect"
	"strings"
	"time"

	"podium/provision/wording"
)

// Check is one entry of checks in an exercise.yaml: something that is to hold, of exactly one kind.
type Check struct {
	Name     string       `yaml:"name" jsonschema:"required"`  // what when: of a hint, --answer and the ledger call it
	Title    wording.Text `yaml:"title" jsonschema:"required"` // what is to hold, in a few words
	On       string       `yaml:"on,omitempty"`                // node, role (then on each node that has it) or all; without it, the first node that the kind fits
	Points   Number       `yaml:"points,omitempty"`            // without it, 1
	Within   string       `yaml:"within,omitempty"`            // how long to ask again until it holds, such as 60s; without it, it is asked once
	Timeout  string       `yaml:"timeout,omitempty"`           // how long one answer may take; without it, 10s
	Rehearse *bool        `yaml:"rehearse,omitempty"`          // nothing but false, which says that the simulator cannot rehearse it

	File      *File      `yaml:"file,omitempty"`      // a file, folder or link
	Service   *Service   `yaml:"service,omitempty"`   // a unit of systemd
	Process   *Process   `yaml:"process,omitempty"`   // a process
	Port      *Port      `yaml:"port,omitempty"`      // a port that something listens on
	Package   *Package   `yaml:"package,omitempty"`   // a package of Debian or Ubuntu
	User      *User      `yaml:"user,omitempty"`      // an account
	Mount     *Mount     `yaml:"mount,omitempty"`     // a file system that is mounted
	Sysctl    *Sysctl    `yaml:"sysctl,omitempty"`    // a setting of the kernel
	Command   *Command   `yaml:"command,omitempty"`   // a command of bash, its exit code and its output
	HTTP      *HTTP      `yaml:"http,omitempty"`      // what a URL answers
	DNS       *DNS       `yaml:"dns,omitempty"`       // what a name stands for
	Reach     *Reach     `yaml:"reach,omitempty"`     // whether a host answers
	Container *Container `yaml:"container,omitempty"` // a container of Docker
	Image     *Image     `yaml:"image,omitempty"`     // an image of Docker
	Kube      *Kube      `yaml:"kube,omitempty"`      // an object of Kubernetes, or several
	PromQL    *PromQL    `yaml:"promql,omitempty"`    // a query of Prometheus
	Jenkins   *Jenkins   `yaml:"jenkins,omitempty"`   // the last build of a job
	Answer    *Answer    `yaml:"answer,omitempty"`    // a question that the text asks
	Script    string     `yaml:"script,omitempty"`    // a bash script in the exercise's folder: exit code 0 holds, 1 does not, 75 not yet, 78 cannot any more, others: did not run; the last line of its output says why

	Body string `yaml:"-"` // text of the script
}

//go:embed check.go
var checkSource string

// Kind is one kind of check.
type Kind interface {
	// Faults says what is wrong with the fields, values already filled in.
	Faults() []Fault
	// Probe is bash that prints facts, and changes nothing; empty for a kind that asks no node.
	Probe() string
	// Judge compares the facts with what is wanted.
	Judge(Facts) Verdict
}

// Fault is what is wrong with a field of a kind.
type Fault struct {
	Path    string // below the kind, such as content.matches
	Value   string
	Message string
}

// Kinds lists the kinds that a check names; a right one names one.
func (c *Check) Kinds() (names []string, kinds []Kind) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if kind, ok := v.Field(i).Interface().(Kind); ok && !v.Field(i).IsNil() {
			names, kinds = append(names, fieldName(v.Type().Field(i))), append(kinds, kind)
		}
	}
	if c.Script != "" {
		names, kinds = append(names, "script"), append(kinds, Script{Text: c.Body})
	}
	return names, kinds
}

// Kind is the kind of a check that is right.
func (c *Check) Kind() Kind {
	_, kinds := c.Kinds()
	return kinds[0]
}

// KindNames lists all kinds.
func KindNames() []string {
	var names []string
	t := reflect.TypeFor[Check]()
	for i := range t.NumField() {
		if t.Field(i).Type.Implements(reflect.TypeFor[Kind]()) {
			names = append(names, fieldName(t.Field(i)))
		}
	}
	return append(names, "script")
}

func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// DefaultTimeout is how long one answer of a check may take.
const DefaultTimeout = 10 * time.Second

// Limit is how long one answer may take.
func (c *Check) Limit() time.Duration {
	if d, err := time.ParseDuration(c.Timeout); err == nil {
		return d
	}
	return DefaultTimeout
}

// Patience is how long to ask again.
func (c *Check) Patience() time.Duration {
	d, _ := time.ParseDuration(c.Within) // nothing is once
	return d
}

// Worth is the points for it.
func (c *Check) Worth() int {
	if c.Points.Given {
		return c.Points.N
	}
	return 1
}

// Sources are the Go files whose comments describe the fields, for the schema.
func Sources() []string { return append(kindSources(), checkSource) }
