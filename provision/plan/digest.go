package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
)

// digest covers what decides what a task does: scripts by their text, not their name; files; and of the variables
// those given.
func digest(t Task, decisive map[string]string) Digest {
	script, vars, files := sha256.New(), sha256.New(), sha256.New()
	writeText(script, t.Script.Text)
	writeText(script, t.Probe.Text)
	writeMap(vars, decisive)
	for _, input := range t.Inputs {
		writeText(script, input.Script.Text)
		writeText(vars, input.Node)
		writeMap(vars, input.Vars)
	}
	for _, f := range t.Files {
		writeText(files, f.Path)
		writeText(files, strconv.FormatUint(uint64(f.Mode), 8))
		writeText(files, f.Text)
	}
	return Digest{Script: sum(script), Vars: sum(vars), Files: sum(files)}
}

// writeText adds a text and its length, so that no two lists of texts add up to the same.
func writeText(h hash.Hash, text string) { fmt.Fprintf(h, "%d:%s", len(text), text) }

func writeMap(h hash.Hash, m map[string]string) {
	writeText(h, strconv.Itoa(len(m)))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		writeText(h, key)
		writeText(h, m[key])
	}
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
