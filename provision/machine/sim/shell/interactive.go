package shell

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

// interactive reads commands from the terminal until exit or end of file.
func (s *Shell) interactive() int {
	s.opts.monitor = false
	t := term.NewTerminal(s.p.FD(0), s.prompt())
	for !s.stopped() {
		t.SetPrompt(s.prompt())
		line, err := t.ReadLine()
		if err != nil {
			if errors.Is(err, io.EOF) {
				fmt.Fprintln(s.p.Stdout(), "logout\r")
			}
			break
		}
		s.runLine(t, line)
	}
	s.exitTrap()
	return s.status
}

// runLine runs a line, and asks for more while it is incomplete.
func (s *Shell) runLine(t *term.Terminal, line string) {
	for {
		file, err := syntax.NewParser().Parse(strings.NewReader(line+"\n"), s.name)
		if err == nil {
			s.stmts(file.Stmts)
			return
		}
		if !syntax.IsIncomplete(err) {
			fmt.Fprintf(s.p.Stderr(), "bash: %s\n", syntaxError(err))
			s.status = 2
			return
		}
		t.SetPrompt("> ")
		more, err := t.ReadLine()
		if err != nil {
			return
		}
		line += "\n" + more
	}
}

func (s *Shell) prompt() string {
	dir := s.p.Dir
	if home := s.get("HOME"); home != "" && home != "/" && (dir == home || strings.HasPrefix(dir, home+"/")) {
		dir = "~" + strings.TrimPrefix(dir, home)
	}
	end := "$"
	if s.p.Cred.UID == 0 {
		end = "#"
	}
	user := s.get("USER")
	if user == "" {
		user = guest.UserName(s.p, s.p.Cred.UID)
	}
	return fmt.Sprintf("[simulated] %s@%s:%s%s ", user, s.p.Machine().Name, dir, end)
}
