package shell

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

func builtinCommand(s *Shell, args []string) int {
	args = args[1:]
	show := false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-v":
			show = true
		case "--":
		default:
			s.errorf("command: %s: invalid option", args[0])
			return 2
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return 0
	}
	if show {
		code := 0
		for _, name := range args {
			if text := s.stands(name); text != "" {
				fmt.Fprintln(s.p.Stdout(), text)
			} else {
				code = 1
			}
		}
		return code
	}
	if b := builtin(args[0]); b != nil {
		return b(s, args)
	}
	s.external(args)
	return s.status
}

// stands says what a command name stands for, as command -v prints it.
func (s *Shell) stands(name string) string {
	if syntax.IsKeyword(name) || s.funcs[name] != nil || builtin(name) != nil || slices.Contains(declarations(), name) {
		return name
	}
	full, _ := s.p.LookIn(s.get("PATH"), name)
	return full
}
