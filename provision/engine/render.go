package engine

import (
	"fmt"
	"path"
	"strings"

	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/step"
)

// RenderStep gives what a node gets for a task, as files with relative paths, for a person who wants to read it or to run
// it alone:
//
//	run.sh           puts the files in place and runs the script, as podium does
//	STEP.sh STEP.env the script and its variables; STEP.probe.sh where the step has a probe
//	files/...        configuration files, below their path on the node
//	inputs/NODE/...  the scripts that give facts of other nodes, to be run there
//
// The boot of a machine has no script; it is an error.
func RenderStep(t plan.Task) ([]step.File, error) {
	if t.Script.Text == "" {
		return nil, fmt.Errorf("%s has no script: it is the provider's work", t.ID)
	}
	env, err := exports(t.Vars)
	if err != nil {
		return nil, err
	}
	files := []step.File{
		{Path: t.Step + ".sh", Mode: 0o755, Text: t.Script.Text},
		{Path: t.Step + ".env", Mode: 0o600, Text: env},
	}
	if t.Probe.Text != "" {
		files = append(files, step.File{Path: t.Step + ".probe.sh", Mode: 0o755, Text: t.Probe.Text})
	}
	for _, f := range t.Files {
		files = append(files, step.File{Path: path.Join("files", f.Path), Mode: f.Mode, Text: f.Text})
	}
	for _, in := range t.Inputs {
		env, err := exports(in.Vars)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(path.Base(in.Script.Name), ".sh")
		files = append(files,
			step.File{Path: path.Join("inputs", in.Node, name+".sh"), Mode: 0o755, Text: in.Script.Text},
			step.File{Path: path.Join("inputs", in.Node, name+".env"), Mode: 0o600, Text: env})
	}
	return append(files, step.File{Path: "run.sh", Mode: 0o755, Text: runAlone(t)}), nil
}

// runAlone is the script that does by hand what podium does with a task.
func runAlone(t plan.Task) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("#!/bin/bash")
	line("# run.sh: does what podium does for the step %s on %s: %s.", t.Step, t.Node, t.About)
	line("# Copy this folder to the node and run: sudo bash run.sh")
	line("set -euo pipefail")
	line(`cd "$(dirname "$0")"`)
	if len(t.Inputs) > 0 {
		line("# Facts of other nodes: run the scripts there, and write what they print into inputs.env here, as NAME=VALUE.")
		for _, in := range t.Inputs {
			name := strings.TrimSuffix(path.Base(in.Script.Name), ".sh")
			line("#   on %s: sudo bash -c '. ./%s.env; bash %s.sh'", in.Node, name, name)
		}
		line(`[[ -f inputs.env ]] || { echo "run.sh: inputs.env is missing: run the scripts below inputs on their nodes first" >&2; exit 2; }`)
		line("set -a; . ./inputs.env; set +a")
	}
	for _, f := range t.Files {
		line("install -D -m %04o %s %s", f.Mode, remote.Quote(path.Join("files", f.Path)), remote.Quote(f.Path))
	}
	line(". ./%s", remote.Quote(t.Step+".env"))
	line("bash ./%s </dev/null", remote.Quote(t.Step+".sh"))
	if t.Probe.Text != "" {
		line(`echo "run.sh: done; the probe says:" >&2`)
		line("bash ./%s </dev/null", remote.Quote(t.Step+".probe.sh"))
	}
	return b.String()
}
