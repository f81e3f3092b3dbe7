// Package option reads the options of modelled commands as getopt_long(3) does. An option that a model does not know
// is an error that names command and option, so that a script never relies on something that was silently ignored.
package option

import (
	"fmt"
	"strings"

	"podium/provision/machine/sim/guest"
)

// Set holds the options that were given. Keys are the first name of each option in the specification.
type Set struct {
	values map[string][]string
	Args   []string // operands
}

// Has reports whether the option was given.
func (s Set) Has(name string) bool { return len(s.values[name]) > 0 }

// Value is the last value given, "" if none.
func (s Set) Value(name string) string {
	v := s.values[name]
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

// Values are all values given, in order.
func (s Set) Values(name string) []string { return s.values[name] }

// Or is the last value given, or def.
func (s Set) Or(name, def string) string {
	if s.Has(name) {
		return s.Value(name)
	}
	return def
}

// Style says how the command reads its arguments.
type Style int

const (
	// GNU lets options stand after operands.
	GNU Style = iota
	// First ends options at the first operand: commands that run another command.
	First
	// Single is for options that are words with one dash, such as find and ctr have.
	Single
)

// Parse reads p.Args by a specification with a word per option: "a,all" is a flag, "m,mode:" takes a value, "color?"
// takes one only after "=". When an option is unknown it complains on standard error and ok is false; the command
// should then return 2.
func Parse(p *guest.Process, spec string, style Style) (s Set, ok bool) {
	return ParseArgs(p, p.Args[0], p.Args[1:], spec, style)
}

// ParseArgs is Parse for a subcommand's arguments; name is what messages call the command.
func ParseArgs(p *guest.Process, name string, args []string, spec string, style Style) (Set, bool) {
	s, err := parse(args, spec, style)
	if err != nil {
		p.Errorf("%s: %v", name, err)
		return s, false
	}
	return s, true
}

type known struct {
	key      string
	takes    bool
	optional bool
}

// find looks an option up in a specification. It is short, and a command is given few options: no index is made of it.
func find(spec, name string) (known, bool) {
	if name == "" {
		return known{}, false
	}
	for word := range strings.FieldsSeq(spec) {
		names := strings.TrimRight(word, ":?")
		key, _, _ := strings.Cut(names, ",")
		for n := range strings.SplitSeq(names, ",") {
			if n == name {
				return known{key: key, takes: strings.HasSuffix(word, ":"), optional: strings.HasSuffix(word, "?")}, true
			}
		}
	}
	return known{}, false
}

func parse(args []string, spec string, style Style) (Set, error) {
	s := Set{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			s.Args = append(s.Args, args...)
			return s, nil
		case strings.HasPrefix(arg, "--") || style == Single && len(arg) > 1 && arg[0] == '-':
			var err error
			if args, err = s.long(arg, args, spec); err != nil {
				return s, err
			}
		case len(arg) > 1 && arg[0] == '-':
			var err error
			if args, err = s.short(arg, args, spec); err != nil {
				return s, err
			}
		default:
			s.Args = append(s.Args, arg)
			if style == First {
				s.Args = append(s.Args, args...)
				return s, nil
			}
		}
	}
	return s, nil
}

func (s *Set) add(key, value string) {
	if s.values == nil {
		s.values = map[string][]string{}
	}
	s.values[key] = append(s.values[key], value)
}

func unknown(arg string) error {
	return fmt.Errorf("unrecognized option '%s' (the simulator's model of this command does not have it)", arg)
}

func (s *Set) long(arg string, args []string, spec string) ([]string, error) {
	name, value, has := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	k, ok := find(spec, name)
	switch {
	case !ok || len(name) == 1 && strings.HasPrefix(arg, "--"):
		return args, unknown(arg)
	case k.takes && !has:
		if len(args) == 0 {
			return args, fmt.Errorf("option '%s' requires an argument", arg)
		}
		value, args = args[0], args[1:]
	case !k.takes && !k.optional && has && value != "true":
		if value == "false" {
			return args, nil
		}
		return args, fmt.Errorf("option '--%s' doesn't allow an argument", name)
	}
	s.add(k.key, value)
	return args, nil
}

func (s *Set) short(arg string, args []string, spec string) ([]string, error) {
	for i := 1; i < len(arg); i++ {
		k, ok := find(spec, arg[i:i+1])
		if !ok {
			return args, unknown("-" + arg[i:i+1])
		}
		if k.optional {
			s.add(k.key, arg[i+1:])
			break
		}
		if !k.takes {
			s.add(k.key, "")
			continue
		}
		value := arg[i+1:]
		if value == "" {
			if len(args) == 0 {
				return args, fmt.Errorf("option requires an argument -- '%s'", arg[i:i+1])
			}
			value, args = args[0], args[1:]
		}
		s.add(k.key, value)
		break
	}
	return args, nil
}
