package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

type readOptions struct {
	raw          bool
	array, delim string
	prompt       string
	fd, limit    int
	timeout      time.Duration
	timed        bool
}

func builtinRead(s *Shell, args []string) int {
	o, names, code := s.readArgs(args[1:])
	if code != 0 {
		return code
	}
	if o.prompt != "" && s.p.TTY() {
		io.WriteString(s.p.Stderr(), o.prompt)
	}
	ctx := s.ctx
	if o.timed {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	line, err := s.readLine(ctx, o)
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		code = 142
	} else if err != nil {
		code = 1
	}
	return max(code, s.store(o, names, line))
}

func (s *Shell) readArgs(args []string) (o readOptions, names []string, code int) {
	o.delim = "\n"
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		for i := 1; i < len(arg); i++ {
			c := arg[i]
			switch c {
			case 'r':
				o.raw = true
				continue
			case 's':
				continue // nothing is shown anyway
			}
			value := arg[i+1:]
			if value == "" {
				if len(args) == 0 {
					s.errorf("read: -%c: option requires an argument", c)
					return o, nil, 2
				}
				value, args = args[0], args[1:]
			}
			var err error
			switch c {
			case 'a':
				o.array = value
			case 'd':
				o.delim = (value + "\x00")[:1]
			case 'p':
				o.prompt = value
			case 'n':
				o.limit, err = strconv.Atoi(value)
			case 'u':
				o.fd, err = strconv.Atoi(value)
			case 't':
				var sec float64
				sec, err = strconv.ParseFloat(value, 64)
				o.timeout, o.timed = time.Duration(sec*float64(time.Second)), true
			default:
				return o, nil, s.unsimulated(fmt.Sprintf("read -%c", c))
			}
			if err != nil {
				s.errorf("read: %s: invalid number", value)
				return o, nil, 1
			}
			break
		}
	}
	for _, name := range args {
		base, _, _ := strings.Cut(name, "[")
		if !syntax.ValidName(base) {
			s.errorf("read: `%s': not a valid identifier", name)
			return o, nil, 1
		}
	}
	return o, args, 0
}

// readLine reads byte by byte, so that what follows stays for other commands.
func (s *Shell) readLine(ctx context.Context, o readOptions) (string, error) {
	var line []byte
	var b [1]byte
	for o.limit == 0 || len(line) < o.limit {
		n, err := s.p.ReadFD(ctx, o.fd, b[:])
		if n == 1 {
			if b[0] == o.delim[0] {
				if !o.raw && o.delim == "\n" && oddBackslashes(line) {
					line = line[:len(line)-1]
					continue
				}
				return string(line), nil
			}
			line = append(line, b[0])
		}
		if err != nil {
			return string(line), err
		}
	}
	return string(line), nil
}

func oddBackslashes(line []byte) bool {
	n := 0
	for n < len(line) && line[len(line)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// store splits the line into the variables.
func (s *Shell) store(o readOptions, names []string, line string) int {
	if o.array != "" {
		list := expand.ReadFields(s.cfg, line, -1, o.raw)
		if list == nil {
			list = []string{}
		}
		if err := s.setVar(o.array, expand.Variable{Set: true, Kind: expand.Indexed, List: list}); err != nil {
			s.errorf("read: %v", err)
			return 1
		}
		return 0
	}
	if len(names) == 0 {
		if !o.raw {
			line = unescape(line)
		}
		s.setString("REPLY", line)
		return 0
	}
	values := s.splitRead(line, len(names), o.raw)
	for i, name := range names {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		if err := s.setString(name, value); err != nil {
			s.errorf("read: %v", err)
			return 1
		}
	}
	return 0
}

// splitRead splits as read does. Separators that are not white space keep empty fields apart, which expand.ReadFields
// does not do.
func (s *Shell) splitRead(line string, n int, raw bool) []string {
	ifs := s.get("IFS")
	if !s.vars.isSet("IFS") {
		ifs = " \t\n"
	}
	hard := strings.Trim(ifs, " \t\n")
	if hard == "" || !raw || n == 1 {
		return expand.ReadFields(s.cfg, line, n, raw)
	}
	soft := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n", r) {
			return r
		}
		return -1
	}, ifs)
	var fields []string
	rest := strings.Trim(line, soft)
	for len(fields) < n-1 {
		i := strings.IndexAny(rest, ifs)
		if i < 0 {
			break
		}
		fields = append(fields, rest[:i])
		rest = strings.TrimLeft(rest[i:], soft)
		if rest != "" && strings.ContainsRune(hard, rune(rest[0])) {
			rest = strings.TrimLeft(rest[1:], soft)
		}
	}
	return append(fields, rest)
}

func (sc *scope) isSet(name string) bool {
	at := sc.find(name)
	return at != nil && at.vars[name].IsSet()
}

func builtinMapfile(s *Shell, args []string) int {
	name, trim := "MAPFILE", false
	for _, arg := range args[1:] {
		switch {
		case arg == "-t":
			trim = true
		case strings.HasPrefix(arg, "-"):
			return s.unsimulated("mapfile " + arg)
		default:
			name = arg
		}
	}
	text, err := io.ReadAll(s.p.FD(0))
	if err != nil {
		s.errorf("mapfile: %s", guest.Reason(err))
		return 1
	}
	list := []string{}
	for line := range strings.Lines(string(text)) {
		if trim {
			line = strings.TrimSuffix(line, "\n")
		}
		list = append(list, line)
	}
	if err := s.setVar(name, expand.Variable{Set: true, Kind: expand.Indexed, List: list}); err != nil {
		s.errorf("mapfile: %v", err)
		return 1
	}
	return 0
}
