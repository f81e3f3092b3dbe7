package shell

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

func builtinCommand(s *Shell, args []string) int {
	args = args[1:]
	show, long := false, false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-v":
			show = true
		case "-V":
			show, long = true, true
		case "-p":
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
			kind, text := s.kind(name)
			switch {
			case kind == "":
				code = 1
				if long {
					s.errorf("command: %s: not found", name)
				}
			case long:
				fmt.Fprintln(s.p.Stdout(), describe(kind, name, text))
			default:
				fmt.Fprintln(s.p.Stdout(), text)
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

// kind says what a command name stands for, and what command -v prints.
func (s *Shell) kind(name string) (kind, text string) {
	switch {
	case s.aliases[name] != "" && s.opts.expandAliases:
		return "alias", "alias " + name + "=" + singleQuote(s.aliases[name])
	case syntax.IsKeyword(name):
		return "keyword", name
	case s.funcs[name] != nil:
		return "function", name
	case builtin(name) != nil || slices.Contains(declarations(), name):
		return "builtin", name
	}
	if full, ok := s.p.LookIn(s.get("PATH"), name); ok {
		return "file", full
	}
	return "", ""
}

func describe(kind, name, text string) string {
	switch kind {
	case "alias":
		return name + " is aliased to `" + text + "'"
	case "keyword":
		return name + " is a shell keyword"
	case "function":
		return name + " is a function"
	case "builtin":
		return name + " is a shell builtin"
	}
	return name + " is " + text
}

func builtinType(s *Shell, args []string) int {
	mode := ""
	code := 0
	for _, name := range args[1:] {
		if strings.HasPrefix(name, "-") {
			mode += name[1:]
			continue
		}
		kind, text := s.kind(name)
		if strings.ContainsAny(mode, "pP") {
			if full, ok := s.p.LookIn(s.get("PATH"), name); ok && (kind == "file" || strings.Contains(mode, "P")) {
				fmt.Fprintln(s.p.Stdout(), full)
			} else {
				code = 1
			}
			continue
		}
		switch {
		case kind == "":
			code = 1
			if !strings.Contains(mode, "t") {
				s.errorf("type: %s: not found", name)
			}
		case strings.Contains(mode, "t"):
			fmt.Fprintln(s.p.Stdout(), kind)
		default:
			fmt.Fprintln(s.p.Stdout(), describe(kind, name, text))
		}
	}
	return code
}
