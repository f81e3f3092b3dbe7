// Command record keeps what end-to-end runs have seen: which version of what ran, how, where and when. A run writes its
// lines beside the repository; this copies them into scripts/e2e/record.json and writes the tables of scripts/README.md.
//
//	go run ./scripts/record [FILE...]    # default: $PODIUM_E2E_RECORD, or record.jsonl in the cache of the runs
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"podium/provision/version"
)

// Entry is one component at one version in one part of the end-to-end runs. scripts/e2e/record.sh writes it.
type Entry struct {
	Component string `json:"component"` // as the catalogue calls it, where it knows it
	Version   string `json:"version"`   // as the node reports it
	How       string `json:"how"`       // Real or StandIn
	Host      string `json:"host"`      // what kind of machine it ran on
	Part      string `json:"part"`      // what to run to see it again, such as "run.sh ha"
	Date      string `json:"date"`      // 2026-11-29
	Seconds   int    `json:"seconds"`   // of the whole part; 0: not known
}

// How something ran.
const (
	Real    = "real"     // the program itself
	StandIn = "stand-in" // a program of the repository that answers in its place
)

const (
	recordFile = "scripts/e2e/record.json"
	tableFile  = "scripts/README.md"
)

func main() {
	files := os.Args[1:]
	if len(files) == 0 {
		files = []string{runsFile()}
	}
	if err := update(".", files); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// runsFile is where the runs write.
func runsFile() string {
	if file := os.Getenv("PODIUM_E2E_RECORD"); file != "" {
		return file
	}
	cache := os.Getenv("PODIUM_E2E_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			user = "."
		}
		cache = filepath.Join(user, "podium-e2e")
	}
	return filepath.Join(cache, "record.jsonl")
}

// update copies the runs' lines into the record of the repository at root, and writes the tables.
func update(root string, files []string) error {
	record, err := readRecord(root)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%w: run scripts/e2e/run.sh first, or name the file that PODIUM_E2E_RECORD named", err)
		}
		runs, err := parseRuns(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		record = merge(record, runs)
	}
	if err := os.WriteFile(filepath.Join(root, recordFile), marshal(record), 0o644); err != nil {
		return err
	}
	return writeTables(root, record)
}

func readRecord(root string) ([]Entry, error) {
	text, err := os.ReadFile(filepath.Join(root, recordFile))
	if err != nil {
		return nil, err
	}
	var record []Entry
	if err := json.Unmarshal(text, &record); err != nil {
		return nil, fmt.Errorf("%s: %w", recordFile, err)
	}
	return record, check(record)
}

// parseRuns reads the lines that runs have written, one entry each.
func parseRuns(text []byte) ([]Entry, error) {
	var runs []Entry
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	for {
		var e Entry
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return runs, check(runs)
		} else if err != nil {
			return nil, err
		}
		runs = append(runs, e)
	}
}

// check refuses what says too little to be a record.
func check(entries []Entry) error {
	for _, e := range entries {
		if e.Component == "" || e.Version == "" || e.Host == "" || e.Part == "" || len(e.Date) != len("2026-11-29") || e.How != Real && e.How != StandIn {
			return fmt.Errorf("entry %+v: write component, version, host, part, date, and how: %s or %s", e, Real, StandIn)
		}
	}
	return nil
}

// merge adds runs to the record. Of what ran twice the same way, the newer run stays.
func merge(record, runs []Entry) []Entry {
	type key struct{ component, version, how, host, part string }
	newest := map[key]Entry{}
	for _, e := range slices.Concat(record, runs) {
		k := key{e.Component, e.Version, e.How, e.Host, e.Part}
		if e.Date >= newest[k].Date {
			newest[k] = e
		}
	}
	var merged []Entry
	for _, e := range newest {
		merged = append(merged, e)
	}
	slices.SortFunc(merged, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), version.Compare(a.Version, b.Version), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.How, b.How), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Host, b.Host))
	})
	return merged
}

// marshal writes one entry a line, so that a change shows as such.
func marshal(record []Entry) []byte {
	var out bytes.Buffer
	for i, e := range record {
		line, err := json.Marshal(e)
		if err != nil {
			panic(err) // cannot happen: strings and a number
		}
		out.WriteString(map[bool]string{true: "[\n  ", false: ",\n  "}[i == 0])
		out.Write(line)
	}
	out.WriteString("\n]\n")
	return out.Bytes()
}
