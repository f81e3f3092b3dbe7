package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func sed(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,quiet,silent e,expression: f,file: i,in-place? E,r,regexp-extended s,separate u z", option.GNU)
	if !ok {
		return usage
	}
	script := strings.Join(o.Values("e"), "\n")
	names := o.Args
	for _, file := range o.Values("f") {
		text, err := p.FS().ReadFile(p.Cred, p.Path(file))
		if err != nil {
			return p.Fail(1, "couldn't open file %s: %s", file, guest.Reason(err))
		}
		script += "\n" + text
	}
	if !o.Has("e") && !o.Has("f") {
		if len(names) == 0 {
			return p.Fail(1, "no script specified")
		}
		script, names = names[0], names[1:]
	}
	program, err := parseSed(script, o.Has("E"))
	if err != nil {
		return p.Fail(1, "-e expression #1: %v", err)
	}
	if o.Has("i") {
		return sedInPlace(p, program, o, names)
	}
	var all []string
	ended := true
	code := inputs(p, names, func(_ string, r io.Reader) error {
		return lines(r, func(line string, nl bool) bool {
			all = append(all, line)
			ended = nl
			return true
		})
	})
	s := &sedding{program: program, quiet: o.Has("n")}
	text, exit := s.run(all, ended)
	p.Print(text)
	if exit != 0 {
		return exit
	}
	return 2 * b2i(code != 0)
}

func sedInPlace(p *guest.Process, program []*sedCommand, o option.Set, names []string) int {
	if len(names) == 0 {
		return p.Fail(1, "no input files")
	}
	files, cred := p.Files()
	code := 0
	for _, name := range names {
		full := p.Path(name)
		info, err := files.Stat(cred, full)
		var text string
		if err == nil {
			text, err = files.ReadFile(cred, full)
		}
		if err != nil {
			p.Errorf("sed: can't read %s: %s", name, guest.Reason(err))
			code = 4
			continue
		}
		if suffix := o.Value("i"); suffix != "" {
			if err := files.WriteFile(cred, full+suffix, text, info.Mode().Perm()); err != nil {
				return p.Fail(4, "couldn't open file %s: %s", name+suffix, guest.Reason(err))
			}
		}
		var all []string
		ended := true
		for line := range strings.Lines(text) {
			var l string
			l, ended = strings.CutSuffix(line, "\n")
			all = append(all, l)
		}
		for _, c := range program {
			c.active = false
		}
		s := &sedding{program: program, quiet: o.Has("n")}
		out, exit := s.run(all, ended)
		f, err := files.Open(cred, full+".sed", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
		if err == nil {
			_, err = io.WriteString(f, out)
			err = errors.Join(err, f.Close(), files.Chmod(cred, full+".sed", info.Mode()))
			files.Chown(cred, full+".sed", int(info.UID), int(info.GID), false)
		}
		if err == nil {
			err = files.Rename(cred, full+".sed", full)
		}
		if err != nil {
			return p.Fail(4, "couldn't open temporary file: %s", guest.Reason(err))
		}
		if exit != 0 {
			return exit
		}
	}
	return code
}

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
		case c.to.offset > 0:
			c.active = n < c.until
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

type sedding struct {
	program []*sedCommand
	quiet   bool
	out     strings.Builder
	lines   []string
	at      int
	space   string
	hold    string
	after   []string
	exit    int
	quit    bool
	deleted bool
	changed bool
}

func (s *sedding) run(all []string, ended bool) (string, int) {
	s.lines = all
	for s.at < len(all) && !s.quit {
		s.space = all[s.at]
		s.at++
		s.deleted = false
		s.exec(s.program)
		if !s.quiet && !s.deleted {
			s.out.WriteString(s.space + "\n")
		}
		for _, t := range s.after {
			s.out.WriteString(t + "\n")
		}
		s.after = nil
	}
	text := s.out.String()
	if !ended && !s.quit {
		text = strings.TrimSuffix(text, "\n")
	}
	return text, s.exit
}

// exec runs commands on the pattern space and reports whether to go on with those that follow.
func (s *sedding) exec(program []*sedCommand) bool {
	for i := 0; i < len(program); i++ {
		c := program[i]
		if !c.selects(s.at, s.at == len(s.lines), s.space) {
			continue
		}
		switch c.name {
		case '{':
			if !s.exec(c.block) {
				return false
			}
		case 's':
			s.substitute(c)
		case 'y':
			s.space = strings.Map(func(r rune) rune {
				if to, ok := c.table[r]; ok {
					return to
				}
				return r
			}, s.space)
		case 'd':
			s.deleted = true
			return false
		case 'p':
			s.out.WriteString(s.space + "\n")
		case '=':
			fmt.Fprintln(&s.out, s.at)
		case 'a':
			s.after = append(s.after, c.text)
		case 'i':
			s.out.WriteString(c.text + "\n")
		case 'c':
			if c.to == nil || !c.active {
				s.out.WriteString(c.text + "\n")
			}
			s.deleted = true
			return false
		case 'q', 'Q':
			s.quit, s.exit = true, c.code
			s.deleted = s.deleted || c.name == 'Q'
			return false
		case 'n':
			if s.at == len(s.lines) {
				s.quit = true
				return false
			}
			if !s.quiet {
				s.out.WriteString(s.space + "\n")
			}
			s.space = s.lines[s.at]
			s.at++
		case 'N':
			if s.at == len(s.lines) {
				s.quit = true
				return false
			}
			s.space += "\n" + s.lines[s.at]
			s.at++
		case 'h':
			s.hold = s.space
		case 'H':
			s.hold += "\n" + s.space
		case 'g':
			s.space = s.hold
		case 'G':
			s.space += "\n" + s.hold
		case 'x':
			s.space, s.hold = s.hold, s.space
		case 'b', 't':
			if c.name == 't' && !s.changed {
				continue
			}
			s.changed = false
			if c.text == "" {
				return false
			}
			for j, l := range program {
				if l.name == ':' && l.text == c.text {
					i = j
				}
			}
		}
	}
	return true
}

func (s *sedding) substitute(c *sedCommand) {
	n := 0
	var b strings.Builder
	rest := 0
	for _, m := range c.re.FindAllStringSubmatchIndex(s.space, -1) {
		n++
		if n < c.nth || n > c.nth && !c.global {
			continue
		}
		b.WriteString(s.space[rest:m[0]])
		b.WriteString(expandSed(c.with, s.space, m))
		rest = m[1]
		s.changed = true
		if !c.global {
			break
		}
	}
	if rest == 0 && b.Len() == 0 && n < max(c.nth, 1) {
		return
	}
	b.WriteString(s.space[rest:])
	s.space = b.String()
	if c.print {
		s.out.WriteString(s.space + "\n")
	}
}

// expandSed fills & and \1 into a replacement.
func expandSed(with, text string, m []int) string {
	var b strings.Builder
	group := func(n int) string {
		if 2*n+1 >= len(m) || m[2*n] < 0 {
			return ""
		}
		return text[m[2*n]:m[2*n+1]]
	}
	for i := 0; i < len(with); i++ {
		switch c := with[i]; {
		case c == '&':
			b.WriteString(group(0))
		case c == '\\' && i+1 < len(with):
			i++
			switch d := with[i]; {
			case d >= '0' && d <= '9':
				b.WriteString(group(int(d - '0')))
			case d == 'n':
				b.WriteByte('\n')
			case d == 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(d)
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
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
	case '{':
		c.block, err = sp.commands(true)
	case 's':
		err = sp.substitution(c)
	case 'y':
		err = sp.transliteration(c)
	case 'a', 'i', 'c':
		text := strings.TrimLeft(sp.s, " \t")
		text = strings.TrimPrefix(strings.TrimPrefix(text, "\\"), "\n")
		end := 0
		for end < len(text) && (text[end] != '\n' || end > 0 && text[end-1] == '\\') {
			end++
		}
		c.text = strings.ReplaceAll(strings.ReplaceAll(text[:end], "\\\n", "\n"), `\t`, "\t")
		sp.s = text[end:]
	case ':', 'b', 't':
		end := strings.IndexAny(sp.s, "\n;}")
		if end < 0 {
			end = len(sp.s)
		}
		c.text, sp.s = strings.TrimSpace(sp.s[:end]), sp.s[end:]
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
		case f == 'i' || f == 'I':
			flags += "(?i)"
		case f == 'm' || f == 'M':
			flags += "(?m)"
		case f >= '1' && f <= '9':
			c.nth = sp.number()
			continue
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
