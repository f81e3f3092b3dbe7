package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Problem is one thing wrong with a description.
type Problem struct {
	File    string // as the user gave it; empty for a lab that came from no file
	Line    int    // from 1; 0: not known
	Col     int    // from 1, in characters
	Path    string // field, such as nodes[1].memory; empty for the file as a whole
	Value   string // what the file has there; empty: nothing, or too long to show
	Message string // what is wrong with it, and after a colon what to write
}

// Error writes the problem on one line: lab.yaml:12:9: nodes[1].memory: "2GB" is not a size: write 2GiB.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		b.WriteByte(':')
		if p.Line > 0 {
			fmt.Fprintf(&b, "%d:%d:", p.Line, p.Col)
		}
		b.WriteByte(' ')
	}
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	if p.Value != "" {
		b.WriteString(quoted(p.Value))
		b.WriteByte(' ')
	}
	b.WriteString(p.Message)
	return b.String()
}

// quoted puts a value in quotes, as it is where that can be read.
func quoted(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return r == '"' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return strconv.Quote(value)
	}
	return `"` + value + `"`
}

// Problems is everything wrong with a description, in the order of the file. As an error it is never empty.
type Problems []Problem

// Error writes one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is ps as an error: nil when there are none, else in the order of the file without repetitions.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.Compact(ps)
}
