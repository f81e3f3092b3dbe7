package remote

import (
	"errors"
	"fmt"
	"strings"
)

// maxLine is the longest command line a node takes: sshd passes it to the login shell as one argument, and Linux
// limits one argument to 32 pages (MAX_ARG_STRLEN, execve(2)), the final NUL included.
const maxLine = 32*4096 - 1

// Quote joins args to a line that a POSIX shell (sh, dash, bash, zsh, busybox) splits into the same args again.
// This is the only place that quotes. A NUL byte, which no argument can carry, is left for Run to refuse.
func Quote(args ...string) string {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if plain(a, i == 0) {
			b.WriteString(a)
			continue
		}
		b.WriteByte('\'')
		b.WriteString(strings.ReplaceAll(a, `'`, `'\''`))
		b.WriteByte('\'')
	}
	return b.String()
}

// plain tells whether a word means itself without quotes. The first word must be neither an assignment nor a
// reserved word.
func plain(word string, first bool) bool {
	if word == "" || first && (strings.Contains(word, "=") || reserved(word)) {
		return false
	}
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("_@%+:,./-", c) >= 0:
		case c == '=' && i > 0: // zsh expands a leading one
		default:
			return false
		}
	}
	return true
}

// reserved lists the reserved words of POSIX, bash and zsh that consist of letters only.
func reserved(word string) bool {
	switch word {
	case "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in",
		"function", "select", "time", "coproc", "repeat", "foreach", "end", "nocorrect", "always", "namespace":
		return true
	}
	return false
}

// line is what the login shell of the node gets. user is who logs in: root needs no sudo, and a small machine
// may not have it. With a mark, the command and its children carry it in their environment (see marked).
func (c Command) line(user, mark string) (string, error) {
	var line string
	sudo := c.Sudo && user != "root"
	var env []string // within sudo, which clears the environment it is given
	if mark != "" {
		env = []string{"env", markVariable + "=" + mark}
	}
	switch {
	case len(c.Args) > 0 && c.Shell != "":
		return "", errors.New("command has both Args and Shell: give one")
	case len(c.Args) > 0 && sudo:
		line = "sudo -n -- " + Quote(append(env, c.Args...)...)
	case len(c.Args) > 0:
		line = assignment(mark) + Quote(c.Args...)
	case c.Shell != "" && sudo:
		line = "sudo -n -- " + Quote(append(env, "sh", "-c", c.Shell)...)
	case c.Shell != "" && mark != "":
		line = assignment(mark) + `exec "$SHELL" -c ` + Quote(c.Shell) // a shell cannot mark itself
	case c.Shell != "":
		line = c.Shell
	default:
		return "", errors.New("command is empty: give Args or Shell")
	}
	if strings.IndexByte(line, 0) >= 0 {
		return "", errors.New("command holds a NUL byte, which no shell passes on: send such bytes on stdin")
	}
	if len(line) > maxLine {
		return "", fmt.Errorf("command line has %d bytes, a node takes at most %d: send long input on stdin", len(line), maxLine)
	}
	return line, nil
}

func assignment(mark string) string {
	if mark == "" {
		return ""
	}
	return markVariable + "=" + mark + " "
}

// label is the command for messages: as it was given, before quoting for sudo; empty if it is secret.
func (c Command) label() string {
	if c.Secret {
		return ""
	}
	if c.Shell != "" {
		return c.Shell
	}
	return Quote(c.Args...)
}
