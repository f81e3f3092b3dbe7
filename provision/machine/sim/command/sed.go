package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func sed(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,quiet,silent e,expression: f,file: i,in-place? E,r,regexp-extended", option.GNU)
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
			default:
				b.WriteByte(d)
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
