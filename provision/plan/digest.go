package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"podium/provision/step"
)

// digest covers what decides what a task does. Of the variables that every script gets only those count that the
// task's scripts name: adding a machine changes PODIUM_HOSTS everywhere, yet only a step that reads it has to run
// again. The step's own variables all count. Script names do not.
func digest(t Task, own step.Vars) Digest {
	scripts := []string{t.Script.Text, t.Probe.Text}
	vars := relevant(t.Vars, t.Script.Text+"\n"+t.Probe.Text)
	maps.Copy(vars, own)
	inputs := sha256.New()
	for _, input := range t.Inputs {
		scripts = append(scripts, input.Node, input.Script.Text)
		writeMap(inputs, relevant(input.Vars, input.Script.Text))
	}
	script, files, all := sha256.New(), sha256.New(), sha256.New()
	for _, text := range scripts {
		writeText(script, text)
	}
	writeMap(all, vars)
	writeText(all, string(inputs.Sum(nil)))
	for _, f := range t.Files {
		writeText(files, f.Path)
		writeText(files, fmt.Sprintf("%o", f.Mode))
		writeText(files, f.Text)
	}
	return Digest{Script: sum(script), Vars: sum(all), Files: sum(files)}
}

// relevant picks the variables whose name text mentions.
func relevant(vars map[string]string, text string) map[string]string {
	picked := map[string]string{}
	for name, value := range vars {
		if strings.Contains(text, name) {
			picked[name] = value
		}
	}
	return picked
}

// writeText adds a text and its length, so that two texts cannot be taken for another two.
func writeText(h hash.Hash, text string) { fmt.Fprintf(h, "%d:%s", len(text), text) }

func writeMap(h hash.Hash, m map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		writeText(h, key)
		writeText(h, m[key])
	}
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
