package command

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

type sedAddress struct {
	line   int
	last   bool
	re     *regexp.Regexp
	offset int // addr1,+N
}

type sedCommand struct {
	from, to *sedAddress
	negate   bool
	active   bool
	until    int
	name     byte
	text     string // of a, i, c, and of labels
	re       *regexp.Regexp
	with     string
	global   bool
	print    bool
	nth      int
	table    map[rune]rune
	code     int
	block    []*sedCommand
}

func (c *sedCommand) selects(n int, last bool, line string) bool {
	ok := true
	match := func(a *sedAddress) bool {
		return a.last && last || a.line > 0 && a.line == n || a.re != nil && a.re.MatchString(line)
	}
	switch {
	case c.from == nil:
	case c.to == nil:
		ok = match(c.from)
	case c.active:
		switch {
		case c.to.line > 0:
			c.active = n < c.to.line
			ok = n <= c.to.line
		default:
			c.active = !match(c.to)
		}
	case match(c.from):
		c.until = n + c.to.offset
		c.active = !(c.to.line > 0 && c.to.line <= n) && !(c.to.last && last)
	default:
		ok = false
	}
	return ok != c.negate
}

type sedParser struct {
	s        string
	extended bool
}

func parseSed(script string, extended bool) ([]*sedCommand, error) {
	sp := &sedParser{script, extended}
	list, err := sp.commands(false)
	if err == nil && sp.s != "" {
		err = errors.New("unexpected `}'")
	}
	return list, err
}

func (sp *sedParser) commands(inBlock bool) ([]*sedCommand, error) {
	var list []*sedCommand
	for {
		sp.s = strings.TrimLeft(sp.s, " \t\n;")
		if strings.HasPrefix(sp.s, "#") {
			_, sp.s, _ = strings.Cut(sp.s, "\n")
			continue
		}
		if sp.s == "" {
			if inBlock {
				return nil, errors.New("unmatched `{'")
			}
			return list, nil
		}
		if sp.s[0] == '}' {
			if inBlock {
				sp.s = sp.s[1:]
			}
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
		return nil, nil
	case sp.s[0] == '$':
		sp.s = sp.s[1:]
		return &sedAddress{last: true}, nil
	case sp.s[0] >= '0' && sp.s[0] <= '9':
		return &sedAddress{line: sp.number()}, nil
	case sp.s[0] == '/' || sp.s[0] == '\\' && len(sp.s) > 1:
		if sp.s[0] == '\\' {
			sp.s = sp.s[1:]
		}
		delim := sp.s[0]
		sp.s = sp.s[1:]
		pat, ok := sp.until(delim)
		if !ok {
			return nil, errors.New("unterminated address regex")
		}
		flags := ""
		if strings.HasPrefix(sp.s, "I") {
			flags, sp.s = "(?i)", sp.s[1:]
		}
		re, err := sp.regexp(flags, pat)
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

func (sp *sedParser) regexp(flags, pat string) (*regexp.Regexp, error) {
	if sp.extended {
		pat = Extended(pat)
	} else {
		pat = Basic(pat)
	}
	re, err := regexp.Compile(flags + pat)
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
	if c.from != nil && strings.HasPrefix(strings.TrimLeft(sp.s, " "), ",") {
		sp.s = strings.TrimLeft(strings.TrimLeft(sp.s, " ")[1:], " ")
		if strings.HasPrefix(sp.s, "+") {
			sp.s = sp.s[1:]
			c.to = &sedAddress{offset: sp.number()}
		} else if c.to, err = sp.address(); err != nil {
			return nil, err
		}
		if c.to == nil {
			return nil, errors.New("unexpected `,'")
		}
	}
	sp.s = strings.TrimLeft(sp.s, " \t")
	for strings.HasPrefix(sp.s, "!") {
		c.negate = true
		sp.s = strings.TrimLeft(sp.s[1:], " ")
	}
	if sp.s == "" {
		return nil, errors.New("missing command")
	}
	c.name = sp.s[0]
	sp.s = sp.s[1:]
	switch c.name {
	case 's':
		err = sp.substitution(c)
	case 'y':
		err = sp.transliteration(c)
	case 'q', 'Q':
		sp.s = strings.TrimLeft(sp.s, " ")
		c.code = sp.number()
	case 'd', 'p', '=', 'n', 'N', 'h', 'H', 'g', 'G', 'x':
	default:
		return nil, fmt.Errorf("unknown command: `%c' (or one the simulator's model of sed does not have)", c.name)
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
	flags := ""
	c.nth = 1
	for sp.s != "" {
		switch f := sp.s[0]; {
		case f == 'g':
			c.global = true
		case f == 'p':
			c.print = true
		case strings.IndexByte(" \t\n;}", f) >= 0:
			var err error
			c.re, err = sp.regexp(flags, pat)
			c.with = with
			return err
		default:
			return fmt.Errorf("unknown option to `s': %c", f)
		}
		sp.s = sp.s[1:]
	}
	var err error
	c.re, err = sp.regexp(flags, pat)
	c.with = with
	return err
}

func (sp *sedParser) transliteration(c *sedCommand) error {
	if sp.s == "" {
		return errors.New("unterminated `y' command")
	}
	delim := sp.s[0]
	sp.s = sp.s[1:]
	from, ok1 := sp.until(delim)
	to, ok2 := sp.until(delim)
	a, b := []rune(from), []rune(to)
	if !ok1 || !ok2 || len(a) != len(b) {
		return errors.New("strings for `y' command are different lengths")
	}
	c.table = map[rune]rune{}
	for i := range a {
		c.table[a[i]] = b[i]
	}
	return nil
}
