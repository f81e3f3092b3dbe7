package command

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// sedAddress is a line, the last line, or the lines that an expression matches.
type sedAddress struct {
	line int
	last bool
	re   *regexp.Regexp
}

func (a *sedAddress) match(n int, last bool, line string) bool {
	return a.last && last || a.line > 0 && a.line == n || a.re != nil && a.re.MatchString(line)
}

// sedCommand is s, d or p, with its addresses.
type sedCommand struct {
	from, to      *sedAddress
	active        bool // inside of a range
	name          byte
	re            *regexp.Regexp
	with          string
	global, print bool
}

// selects reports whether a line is one that the command is for.
func (c *sedCommand) selects(n int, last bool, line string) bool {
	switch {
	case c.from == nil:
		return true
	case c.to == nil:
		return c.from.match(n, last, line)
	case c.active:
		c.active = !c.to.match(n, last, line) && (c.to.line == 0 || n < c.to.line)
		return c.to.line == 0 || n <= c.to.line
	case c.from.match(n, last, line):
		c.active = !(c.to.line > 0 && c.to.line <= n) && !(c.to.last && last)
		return true
	}
	return false
}

type sedParser struct {
	s        string
	extended bool
}

func parseSed(script string, extended bool) (list []*sedCommand, err error) {
	sp := &sedParser{script, extended}
	for {
		if sp.s = strings.TrimLeft(sp.s, " \t\n;"); sp.s == "" {
			return list, nil
		}
		c, err := sp.command()
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
}

func (sp *sedParser) address() (*sedAddress, error) {
	switch {
	case sp.s == "":
	case sp.s[0] == '$':
		sp.s = sp.s[1:]
		return &sedAddress{last: true}, nil
	case sp.s[0] >= '0' && sp.s[0] <= '9':
		return &sedAddress{line: sp.number()}, nil
	case sp.s[0] == '/':
		sp.s = sp.s[1:]
		pat, ok := sp.until('/')
		if !ok {
			return nil, errors.New("unterminated address regex")
		}
		re, err := sp.regexp(pat)
		return &sedAddress{re: re}, err
	}
	return nil, nil
}

func (sp *sedParser) number() int {
	n := 0
	for n < len(sp.s) && sp.s[n] >= '0' && sp.s[n] <= '9' {
		n++
	}
	v, _ := strconv.Atoi(sp.s[:n])
	sp.s = sp.s[n:]
	return v
}

func (sp *sedParser) regexp(pat string) (*regexp.Regexp, error) {
	if sp.extended {
		pat = Extended(pat)
	} else {
		pat = Basic(pat)
	}
	re, err := regexp.Compile(pat)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression: %s", pat)
	}
	return re, nil
}

// until reads up to an unescaped delimiter. An escaped one loses its backslash.
func (sp *sedParser) until(delim byte) (string, bool) {
	var b strings.Builder
	inBracket := false
	for i := 0; i < len(sp.s); i++ {
		c := sp.s[i]
		switch {
		case c == '\\' && i+1 < len(sp.s):
			i++
			if sp.s[i] == delim {
				b.WriteByte(delim)
			} else {
				b.WriteByte('\\')
				b.WriteByte(sp.s[i])
			}
		case c == '[' && !inBracket && delim != '[':
			inBracket = true
			b.WriteByte(c)
		case c == ']' && inBracket:
			inBracket = false
			b.WriteByte(c)
		case c == delim && !inBracket:
			sp.s = sp.s[i+1:]
			return b.String(), true
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// replacement reads up to the delimiter, where brackets mean nothing.
func (sp *sedParser) replacement(delim byte) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(sp.s); i++ {
		c := sp.s[i]
		switch {
		case c == '\\' && i+1 < len(sp.s):
			i++
			if sp.s[i] == delim && delim != '&' {
				b.WriteByte(delim)
			} else {
				b.WriteByte('\\')
				b.WriteByte(sp.s[i])
			}
		case c == delim:
			sp.s = sp.s[i+1:]
			return b.String(), true
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func (sp *sedParser) command() (*sedCommand, error) {
	c := &sedCommand{}
	var err error
	if c.from, err = sp.address(); err != nil {
		return nil, err
	}
	if c.from != nil && strings.HasPrefix(sp.s, ",") {
		sp.s = sp.s[1:]
		if c.to, err = sp.address(); err != nil {
			return nil, err
		}
		if c.to == nil {
			return nil, errors.New("unexpected `,'")
		}
	}
	if sp.s = strings.TrimLeft(sp.s, " "); sp.s == "" {
		return nil, errors.New("missing command")
	}
	c.name = sp.s[0]
	sp.s = sp.s[1:]
	switch c.name {
	case 'd', 'p':
	case 's':
		err = sp.substitution(c)
	default:
		return nil, fmt.Errorf("unknown command: `%c' (or one the simulator's model of sed does not have)", c.name)
	}
	if sp.s != "" && !strings.ContainsRune(" \t\n;", rune(sp.s[0])) && err == nil {
		err = errors.New("extra characters after command")
	}
	return c, err
}

func (sp *sedParser) substitution(c *sedCommand) error {
	if sp.s == "" {
		return errors.New("unterminated `s' command")
	}
	delim := sp.s[0]
	sp.s = sp.s[1:]
	pat, ok1 := sp.until(delim)
	with, ok2 := sp.replacement(delim)
	if !ok1 || !ok2 {
		return errors.New("unterminated `s' command")
	}
	for sp.s != "" && !strings.ContainsRune(" \t\n;", rune(sp.s[0])) {
		switch sp.s[0] {
		case 'g':
			c.global = true
		case 'p':
			c.print = true
		default:
			return fmt.Errorf("unknown option to `s': %c (or one the simulator's model of sed does not have)", sp.s[0])
		}
		sp.s = sp.s[1:]
	}
	var err error
	c.re, err = sp.regexp(pat)
	c.with = with
	return err
}
