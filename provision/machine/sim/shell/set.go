package shell

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
)

func builtinSet(s *Shell, args []string) int {
	if len(args) == 1 {
		var lines []string
		environ{s}.Each(func(name string, vr expand.Variable) bool {
			if vr.IsSet() {
				lines = append(lines, name+"="+quote(vr.String()))
			}
			return true
		})
		slices.Sort(lines)
		for _, l := range lines {
			fmt.Fprintln(s.p.Stdout(), l)
		}
		return 0
	}
	args = args[1:]
	defer s.configure()
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			s.params = slices.Clone(args[1:])
			return 0
		case arg == "-":
			s.opts.xtrace = false
			if len(args) > 1 {
				s.params = slices.Clone(args[1:])
			}
			return 0
		case len(arg) > 1 && (arg[0] == '-' || arg[0] == '+'):
			for i := 1; i < len(arg); i++ {
				if arg[i] != 'o' {
					if !s.opts.letter(arg[i], arg[0] == '-') {
						s.errorf("set: -%c: invalid option", arg[i])
						return 2
					}
					continue
				}
				if len(args) < 2 {
					return s.unsimulated("set " + arg)
				}
				if !s.opts.set(args[1], arg[0] == '-') {
					s.errorf("set: %s: invalid option name", args[1])
					return 2
				}
				args = args[1:]
			}
		default:
			s.params = slices.Clone(args)
			return 0
		}
		args = args[1:]
	}
	return 0
}

func builtinShopt(s *Shell, args []string) int {
	mode := ""
	code := 0
	for _, arg := range args[1:] {
		switch {
		case strings.HasPrefix(arg, "-"):
			mode += arg[1:]
		default:
			p := s.opts.shopt(arg)
			switch {
			case p == nil:
				return s.unsimulated("shopt " + arg)
			case strings.Contains(mode, "s"):
				*p = true
			case strings.Contains(mode, "u"):
				*p = false
			case !*p:
				code = 1
			}
		}
	}
	s.configure()
	return code
}
