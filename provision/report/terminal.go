package report

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Clean makes a line of a node's output fit to stand in a line of ours: what a progress bar wrote over is dropped, and
// so is all that could change the terminal.
func Clean(line string) string {
	line = strings.TrimRight(line, "\r\n")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	line = strings.ReplaceAll(Printable(line, false), "\n", "")
	return strings.ReplaceAll(line, "\t", " ")
}

// color is a sequence that sets colours and weights of what follows (SGR).
var color = regexp.MustCompile(`^\x1b\[[0-9;:]*m`)

// Printable drops from text what could change a terminal, move its cursor, hide text or ask it something: escape
// sequences, control characters, and characters that turn the direction of writing around. Line ends and tabs stay, and
// with colors the sequences that set colours. Bytes that are not UTF-8 become U+FFFD.
func Printable(text string, colors bool) string {
	text = strings.ToValidUTF8(text, "\uFFFD") // halves of a character could become one where something between them goes
	if !strings.ContainsFunc(text, dangerous) {
		return text
	}
	var b strings.Builder
	for text != "" {
		if sequence := color.FindString(text); sequence != "" {
			if colors {
				b.WriteString(sequence)
			}
			text = text[len(sequence):]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case !dangerous(r):
			b.WriteString(text[:size])
		case r == '\x1b' || r >= 0x80 && r <= 0x9f:
			size = sequenceLength(text, r, size)
		}
		text = text[size:]
	}
	return b.String()
}

// sequenceLength is how long the escape sequence is that text begins with.
func sequenceLength(text string, r rune, size int) int {
	if r != '\x1b' { // C1: one character for ESC and another
		text = "\x1b" + string(r-0x40) + text[size:]
	}
	_, _, n, _ := ansi.DecodeSequence(text, ansi.NormalState, nil)
	if r != '\x1b' {
		n += size - 2
	}
	return max(n, size)
}

// dangerous tells of a character whether a terminal does something else with it than to show it where it stands.
func dangerous(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r):
		return true
	}
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
