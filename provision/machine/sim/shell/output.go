package shell

import (
	"io"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

func builtinEcho(s *Shell, args []string) int {
	args = args[1:]
	newline, escapes := true, s.posix
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, c := range args[0][1:] {
			switch c {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	text := strings.Join(args, " ")
	if escapes {
		var stop bool
		if text, stop = unbackslash(text, true); stop {
			newline = false
		}
	}
	if newline {
		text += "\n"
	}
	return s.write(text)
}

// write writes to standard output and reports what bash reports.
func (s *Shell) write(text string) int {
	if _, err := io.WriteString(s.p.Stdout(), text); err != nil {
		if s.ctx.Err() == nil {
			s.errorf("echo: write error: %s", guest.Reason(err))
		}
		return 1
	}
	return 0
}

// quote writes a word as printf %q does.
func quote(s string) string {
	if s == "" {
		return "''"
	}
	for _, c := range s {
		if c < ' ' || c == 0x7f {
			q, err := syntax.Quote(s, syntax.LangBash)
			if err == nil {
				return q
			}
		}
	}
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"
	var b strings.Builder
	for i, c := range s {
		if !strings.ContainsRune(safe, c) && c < 0x80 || i == 0 && (c == '=' && false) || c == ',' && false {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

func singleQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
