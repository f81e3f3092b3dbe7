package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Table is text in columns. Widths are those on a terminal, so that Korean names keep the columns straight.
type Table struct {
	Indent string
	Head   []string // empty: no head
	rows   [][]string
}

// Row adds a row; it may be shorter than others.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// Write writes the table. The last cell of a row is not padded.
func (t *Table) Write(w io.Writer) {
	rows := t.rows
	if len(t.Head) > 0 {
		rows = append([][]string{t.Head}, rows...)
	}
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		line.WriteString(t.Indent)
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
