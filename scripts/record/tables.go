package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/version"
)

// Between these lines of scripts/README.md stands what this program writes.
const (
	tablesBegin = "<!-- go run ./scripts/record writes this from e2e/record.json -->\n"
	tablesEnd   = "<!-- end of what go run ./scripts/record writes -->\n"
)

func writeTables(root string, record []Entry) error {
	file := filepath.Join(root, tableFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, _, after, err := split(string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(before+tables(record)+after), 0o644)
}

// split finds the tables in the text of scripts/README.md.
func split(text string) (before, written, after string, err error) {
	before, rest, ok := strings.Cut(text, tablesBegin)
	written, after, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		return "", "", "", fmt.Errorf("%s: has no lines %q and %q: put them where the tables belong", tableFile, tablesBegin, tablesEnd)
	}
	return before + tablesBegin, written, tablesEnd + after, nil
}

// tables are the record as a reader wants it.
func tables(record []Entry) string {
	var out strings.Builder
	out.WriteString("\n| Component | Version | How | On | Part | Last run |\n|---|---|---|---|---|---|\n")
	for _, rows := range group(record, func(e Entry) string { return strings.Join([]string{e.Component, e.Version, e.How, e.Host}, "\n") }) {
		e := rows[0]
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", e.Component, e.Version, e.How, e.Host, list(parts(rows)), lastDate(rows))
	}
	out.WriteString("\n| Part | Seconds | On | Last run |\n|---|---|---|---|\n")
	byPart := slices.SortedStableFunc(slices.Values(record), func(a, b Entry) int { return cmp.Compare(a.Part, b.Part) })
	for _, rows := range group(byPart, func(e Entry) string { return e.Part }) {
		e := slices.MaxFunc(rows, func(a, b Entry) int { return cmp.Compare(a.Date, b.Date) })
		seconds := "not kept"
		if e.Seconds > 0 {
			seconds = fmt.Sprint(e.Seconds)
		}
		fmt.Fprintf(&out, "| `scripts/e2e/%s` | %s | %s | %s |\n", e.Part, seconds, e.Host, e.Date)
	}
	fmt.Fprintf(&out, "\nMinors of Kubernetes in the catalogue: %s.\n", minors(record))
	fmt.Fprintf(&out, "\nOf the catalogue the record has no real run of: %s.\n\n", strings.Join(missing(record), ", "))
	return out.String()
}

// minors says of each minor of Kubernetes in the catalogue when it last ran for real.
func minors(record []Entry) string {
	var said []string
	for _, minor := range catalogue.KubernetesMinors() {
		last := ""
		for _, e := range record {
			if e.Component == "kubernetes" && e.How == Real && version.Minor(e.Version) == minor {
				last = max(last, e.Date)
			}
		}
		if last == "" {
			said = append(said, minor+" has not run for real")
			continue
		}
		said = append(said, minor+" ran for real on "+last)
	}
	return strings.Join(said, ", ")
}

// missing are the components of the catalogue without a real run.
func missing(record []Entry) []string {
	var names []string
	for _, c := range catalogue.All().Components {
		if !slices.ContainsFunc(record, func(e Entry) bool { return e.Component == c.Name && e.How == Real }) {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names
}

// group puts entries of the same key together, in the order in which the keys come.
func group(record []Entry, key func(Entry) string) [][]Entry {
	var keys []string
	groups := map[string][]Entry{}
	for _, e := range record {
		k := key(e)
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], e)
	}
	var sorted [][]Entry
	for _, k := range keys {
		sorted = append(sorted, groups[k])
	}
	return sorted
}

func parts(rows []Entry) []string {
	var names []string
	for _, e := range rows {
		names = append(names, e.Part)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// list writes parts with one name for those of the same script: run.sh etcd, ha.
func list(parts []string) string {
	var out []string
	last := ""
	for _, part := range parts {
		script, name, ok := strings.Cut(part, " ")
		if ok && script == last {
			out = append(out, name)
			continue
		}
		last = script
		out = append(out, part)
	}
	return strings.Join(out, ", ")
}

func lastDate(rows []Entry) string {
	return slices.MaxFunc(rows, func(a, b Entry) int { return cmp.Compare(a.Date, b.Date) }).Date
}
