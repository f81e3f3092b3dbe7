package main

import (
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// screen says what the place that stdout goes to can show.
type screen struct {
	stdin   bool // stdin is a terminal
	stdout  bool // stdout is a terminal
	live    bool // a picture may be drawn again and again in place
	color   bool
	unicode bool
	width   int      // columns of stdout; 0: not a terminal, any number
	out     *os.File // set when stdout is a terminal
}

// newScreen looks at the two ends and at the usual variables: TERM, NO_COLOR (https://no-color.org), CI, and the locale.
func newScreen(in io.Reader, out io.Writer, getenv func(string) string) screen {
	var s screen
	s.stdin = isTerminal(in)
	if f, ok := out.(*os.File); ok && isTerminal(f) {
		s.stdout, s.out = true, f
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.width = width
		}
	}
	dumb := getenv("TERM") == "dumb" || runtime.GOOS != "windows" && getenv("TERM") == "" || s.stdout && !understandsEscapes(s.out)
	s.live = s.stdin && s.stdout && !dumb && getenv("CI") == ""
	s.color = s.stdout && !dumb && getenv("NO_COLOR") == ""
	s.unicode = unicodeLocale(getenv)
	return s
}

// unicodeLocale reports whether the locale can show more than ASCII. Windows terminals can.
func unicodeLocale(getenv func(string) string) bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			value = strings.ToLower(strings.ReplaceAll(value, "-", ""))
			return strings.Contains(value, "utf8")
		}
	}
	return false
}

func isTerminal(end any) bool {
	f, ok := end.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
