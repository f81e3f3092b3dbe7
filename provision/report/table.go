package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Table is text in columns. Widths are those on a terminal, so that Korean names keep the columns straight.
type Table struct {
	Indent string
	Head   []string // empty: no head
	Width  int      // columns of the terminal; 0: any number
	Spare  []string // heads of columns to leave out when the table is wider than that, the first one first
	rows   [][]string
}

// Row adds a row; it may be shorter than others.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// Write writes the table. The last cell of a row is not padded; it is cut where a row is still too wide.
func (t *Table) Write(w io.Writer) {
	rows := t.rows
	if len(t.Head) > 0 {
		rows = append([][]string{t.Head}, rows...)
	}
	widths := columnWidths(rows)
	for _, head := range t.Spare {
		if t.fits(widths) {
			break
		}
		rows = withoutColumn(rows, slices.Index(rows[0], head))
		widths = columnWidths(rows)
	}
	for _, row := range rows {
		var line strings.Builder
		line.WriteString(t.Indent)
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+columnGap))
			}
		}
		text := strings.TrimRight(line.String(), " ")
		if t.Width > 0 {
			text = ansi.Truncate(text, t.Width, "..")
		}
		fmt.Fprintln(w, text)
	}
}

const columnGap = 2

func columnWidths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	return widths
}

func (t *Table) fits(widths []int) bool {
	total := len(t.Indent) + columnGap*(len(widths)-1)
	for _, width := range widths {
		total += width
	}
	return t.Width <= 0 || total <= t.Width
}

func withoutColumn(rows [][]string, i int) [][]string {
	if i < 0 {
		return rows
	}
	fewer := make([][]string, len(rows))
	for n, row := range rows {
		fewer[n] = row
		if i < len(row) {
			fewer[n] = slices.Delete(slices.Clone(row), i, i+1)
		}
	}
	return fewer
}
