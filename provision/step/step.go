// Package step is the catalogue: one literal table that says which step runs on which role, after what, with which
// script and variables. Package plan lays the table over a lab.
package step

import (
	"strings"
	"time"

	"podium/provision/lab"
)

// Step is one row of the catalogue.
type Step struct {
	Name   string
	About  string                                 // one line for people
	On     func(c Context, m lab.Machine) bool    // which machines it runs on
	After  []After                                // steps that must be done before; rows that the lab leaves out do not count
	Script string                                 // path below scripts/guest
	Vars   func(c Context, m lab.Machine) Vars    // nil: only the variables every step gets
	Files  func(c Context, m lab.Machine) []File  // nil: none
	Inputs func(c Context, m lab.Machine) []Input // nil: none
	Probe  string                                 // path below scripts/guest; empty: none
	Hint   string                                 // where to look when it fails

	// Version, when set, is the version that the step brings its machine to: the step is done when the machine reports
	// that version, whatever its digest. A machine that was made with it does not run the step at all.
	Version func(c Context, m lab.Machine) Version

	// NotRehearsed rows need what the simulator does not have. It leaves them out, and podium says so.
	NotRehearsed bool

	// Serial rows run on their machines one after the other, in the order of the lab.
	Serial bool

	Services []string      // systemd units the step answers for
	Timeout  time.Duration // of script and probe together
}

// Version is a version that a step brings its machine to.
type Version struct {
	Facts []string // where the machine reports the version it has; the first of them that it reports counts
	Want  string   // such as 1.36, which any 1.36.x fits, or 1.36.2
}

// Has is the version among what a machine reports; empty: it reports none.
func (v Version) Has(facts map[string]string) string {
	for _, name := range v.Facts {
		if has := facts[name]; has != "" {
			return has
		}
	}
	return ""
}

// Fits reports whether a version is the one that is wanted, or one of its series.
func (v Version) Fits(has string) bool { return has == v.Want || strings.HasPrefix(has, v.Want+".") }

// Vars are variables of a script, PODIUM_ names included.
type Vars map[string]string

// Context is what the functions of a row may look at.
type Context struct {
	Lab      lab.Lab
	Machines []lab.Machine
	On       []string // the machines that take part in this run, if not all do; see TakePart
}

// After names a step that has to be done before. Everywhere: on every machine that has it; otherwise on the same one.
type After struct {
	Step       string
	Everywhere bool
}

// File is a small text file put on the node before the script runs.
type File struct {
	Path string // absolute, on the node
	Mode uint32 // permission bits
	Text string
}

// Input is a script that runs on another machine just before, and whose facts become variables (see plan.Input).
type Input struct {
	Node   string
	Script string // path below scripts/guest
	Vars   Vars
}
