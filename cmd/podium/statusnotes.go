package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/report"
	"podium/provision/state"
)

// remarks are what does not fit into a table: who is at work, what failed, what does not answer, and what to do next.
func (r statusReport) remarks(b *labSession, l style) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if r.holder != nil {
		add("%s. What stands here changes until it ends.", r.holder.AtWork())
	}
	for _, n := range r.nodes {
		if r.holder == nil {
			r.addFailures(n, b, l, add)
		}
		r.addNode(n, b.arg, add)
	}
	for _, d := range r.differences {
		add("%s", d)
	}
	r.addNext(b, add)
	return notes
}

// addFailures shows what failed on a node and has not succeeded since, as up did.
func (r statusReport) addFailures(n engine.NodeStatus, b *labSession, l style, add func(string, ...any)) {
	for _, f := range n.Failures {
		add("%s %s/%s at %s: %s", l.red("FAILED"), n.Name, f.Step, f.At.Local().Format(time.DateTime), firstLine(f.Error))
		for _, line := range f.Last {
			add("    %s", report.Clean(line))
		}
		if f.Hint != "" {
			add("  hint: %s", report.Clean(f.Hint))
		}
		if f.Log != "" {
			add("  log:  %s", shortPath(f.Log, b.state))
		}
	}
}

// shortPath is a path of .podium as people write it, when the lab is in the current folder.
func shortPath(path string, d *state.Dir) string {
	here, err := filepath.Abs(".")
	if err != nil || here != d.Lab() {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}

// addNode says of a node that it crashed, why SSH does not answer, what an up that was cut short has left undone, and which services are
// not active.
func (r statusReport) addNode(n engine.NodeStatus, arg string, add func(string, ...any)) {
	if n.SSHError != "" && r.holder == nil {
		add("%s: %s", n.Name, strings.TrimPrefix(report.Clean(n.SSHError), n.Name+": "))
	}
	if n.Machine == machine.Crashed {
		add("%s: crashed; to boot it again: podium up%s", n.Name, arg)
	}
	if len(n.NotRehearsed) > 0 {
		add("%s: not rehearsed: %s", n.Name, strings.Join(n.NotRehearsed, ", "))
	}
	unfinished := n.SSH && n.Done < n.Total
	if unfinished && r.holder == nil {
		add("%s: %d of %d steps are done; to go on: podium up%s", n.Name, n.Done, n.Total, arg)
	}
	for _, s := range n.Services {
		if !unfinished && s.Active != "" && s.Active != "active" {
			add("%s: %s is %s; see: podium ssh %s -- systemctl status %s", n.Name, s.Unit, s.Active, n.Name, s.Unit)
		}
	}
	if n.Removed {
		add("%s: no longer in lab.yaml, but kept; to remove: podium up%s --prune", n.Name, arg)
	}
}

// addNext says what to do about machines that do not run, and about an up that was cut off.
func (r statusReport) addNext(b *labSession, add func(string, ...any)) {
	if missing := b.notMade(); len(missing) > 0 && r.holder == nil {
		add("Not made yet: %s. To make: podium up%s", listNames(missing), b.arg)
	}
	var halted []string
	for _, n := range r.nodes {
		if n.Machine == machine.Stopped {
			halted = append(halted, n.Name)
		}
	}
	switch {
	case r.holder != nil:
	case len(halted) > 0 && len(halted) == len(r.nodes):
		add("The lab is halted. To start it: podium up%s", b.arg)
	case len(halted) > 0:
		add("Halted: %s. To start: podium up%s", listNames(halted), b.arg)
	}
	if r.holder == nil && !r.last.started.IsZero() {
		add("The up of %s did not get to its end: %s. To go on: podium up%s",
			r.last.started.Local().Format(time.DateTime), cmp.Or(r.last.why, "it was killed"), b.arg)
	}
}

// notMade lists the nodes of the last up's description that were left out of it by --on.
func (b *labSession) notMade() []string {
	var names []string
	for _, m := range lab.Machines(b.lab) {
		if _, known := b.known.Machines[m.Name]; !known {
			names = append(names, m.Name)
		}
	}
	return names
}
