// Package exercise is an exercise of a lab: a folder exercises/NAME with exercise.yaml, a text in English and Korean, and
// scripts for nodes. It reads and checks them, gives each lab its own values, and knows nothing of how nodes are reached.
package exercise

import (
	_ "embed"
	"fmt"
	"path"

	"podium/provision/exercise/check"
	"podium/provision/wording"
)

//go:embed exercise.go
var typesSource string

// Names of the files and folders of exercises.
const (
	Folder   = "exercises"     // in a lab's folder
	FileName = "exercise.yaml" // in the exercise's
	textEN   = "text.md"
	textKO   = "text.ko.md"
)

// Exercise is one exercise.yaml. The comments of the fields are the descriptions in the JSON Schema.
//
// Title, texts, hints and checks may hold {{name}}, which stands for one of vars, or for lab, user (podium's account on
// the nodes) or address_NODE. Scripts have the same values in the environment: $NAME.
type Exercise struct {
	Title    wording.Text   `yaml:"title" jsonschema:"required"`   // what it is called
	Minutes  check.Number   `yaml:"minutes" jsonschema:"required"` // how long it takes somebody who does it for the first time
	Topic    string         `yaml:"topic,omitempty"`               // word by which podium exercise list --topic finds it, such as networking
	Level    check.Number   `yaml:"level,omitempty"`               // 1 (easy) to 3; without it, 1
	Needs    Needs          `yaml:"needs,omitempty"`               // what must be there before
	Vars     map[string]Var `yaml:"vars,omitempty"`                // values that differ from lab to lab
	Setup    []Script       `yaml:"setup,omitempty"`               // scripts that bring the lab to where the exercise starts, whatever was done before: start and reset run them. Can run twice
	Checks   []check.Check  `yaml:"checks" jsonschema:"required"`  // what is to hold in the end
	Hints    []Hint         `yaml:"hints,omitempty"`               // a ladder: podium hint shows the next one
	Solution []Script       `yaml:"solution,omitempty"`            // scripts that solve it. Can run twice
	Wrong    []Script       `yaml:"wrong,omitempty"`               // attempts of which each must not pass: the proof that checks see it
	Breaks   bool           `yaml:"breaks,omitempty"`              // true: setup breaks the lab, and the student repairs it
	Symptom  []string       `yaml:"symptom,omitempty"`             // checks that do not hold once setup has broken the lab; without it, at least one
	Rehearse *bool          `yaml:"rehearse,omitempty"`            // nothing but false, which says that the simulator cannot rehearse it

	Name   string            `yaml:"-"` // the folder's
	Text   wording.Text      `yaml:"-"` // text.md and text.ko.md
	Bodies map[string]string `yaml:"-"` // texts of the scripts, by their names
}

// Needs is what must be there before an exercise can be done.
type Needs struct {
	Exercises  []string `yaml:"exercises,omitempty"`  // other exercises of the lab, done before
	Roles      []string `yaml:"roles,omitempty"`      // roles that nodes have, such as [docker]
	Nodes      []string `yaml:"nodes,omitempty"`      // names of nodes
	Kubernetes string   `yaml:"kubernetes,omitempty"` // version of the cluster, such as ">=1.29"
	Addons     []string `yaml:"addons,omitempty"`     // add-ons of the cluster, such as [metrics-server]
	CNI        []string `yaml:"cni,omitempty"`        // pod networks of which one is there, such as [calico, cilium]
	VM         bool     `yaml:"vm,omitempty"`         // true: nodes with a kernel of their own, no system containers
}

// Var is a value that is derived from the lab's seed: the same each time in this lab, another one in others. Exactly one
// of from and to, choose, hex and node.
type Var struct {
	From   check.Number  `yaml:"from,omitempty"`   // a whole number, this or more
	To     check.Number  `yaml:"to,omitempty"`     // and that or less
	Choose []check.Value `yaml:"choose,omitempty"` // one of these
	Hex    check.Number  `yaml:"hex,omitempty"`    // that many digits 0-9a-f, up to 64
	Node   string        `yaml:"node,omitempty"`   // the name of a node with this role, or of any: all
}

// Script is a bash script in the exercise's folder that runs on nodes. It is sent there on stdin and leaves no file.
type Script struct {
	Run     string   `yaml:"run" jsonschema:"required"` // the file
	On      string   `yaml:"on,omitempty"`              // node, role (each node that has it) or all; without it, the first control plane, else the first node
	As      string   `yaml:"as,omitempty"`              // root, or user: podium's account on the nodes; without it, root
	Timeout string   `yaml:"timeout,omitempty"`         // how long it may take; without it, 10m
	Fails   []string `yaml:"fails,omitempty"`           // of wrong: the checks that must not hold after it; without it, at least one
}

// Hint is a step of help.
type Hint struct {
	Text wording.Text `yaml:"text" jsonschema:"required"` // what it says
	Cost check.Number `yaml:"cost,omitempty"`             // points that it costs; without it, 0
	When string       `yaml:"when,omitempty"`             // a check: the hint is shown only while that does not hold
}

// Points is what the exercise is worth.
func (e *Exercise) Points() int {
	sum := 0
	for i := range e.Checks {
		sum += e.Checks[i].Worth()
	}
	return sum
}

// Check finds a check by its name.
func (e *Exercise) Check(name string) (*check.Check, bool) {
	for i := range e.Checks {
		if e.Checks[i].Name == name {
			return &e.Checks[i], true
		}
	}
	return nil, false
}

// CheckNames lists the checks.
func (e *Exercise) CheckNames() []string {
	names := make([]string, len(e.Checks))
	for i, c := range e.Checks {
		names[i] = c.Name
	}
	return names
}

// file is where one of its files lies in the lab's folder, with slashes.
func (e *Exercise) file(name string) string { return path.Join(Folder, e.Name, name) }

// Rehearsed reports whether the simulator could be asked; it cannot for exercises on nodes.
func (e *Exercise) Rehearsed() bool { return e.Rehearse == nil || *e.Rehearse }

// Find finds an exercise by its name.
func Find(all []Exercise, name string) (*Exercise, error) {
	for i := range all {
		if all[i].Name == name {
			return &all[i], nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
}
