package command

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func sed(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,quiet,silent e,expression: i,in-place E,r,regexp-extended", option.GNU)
	if !ok {
		return usage
	}
	script, names := strings.Join(o.Values("e"), "\n"), o.Args
	if !o.Has("e") {
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
			all, ended = append(all, line), nl
			return true
		})
	})
	p.Print(runSed(program, o.Has("n"), all, ended))
	return 2 * code
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
		out := runSed(program, o.Has("n"), all, ended)
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
	}
	return code
}

// runSed edits lines; ended says whether the last one had an end.
func runSed(program []*sedCommand, quiet bool, all []string, ended bool) string {
	var out strings.Builder
next:
	for i, line := range all {
		for _, c := range program {
			if !c.selects(i+1, i+1 == len(all), line) {
				continue
			}
			printed := c.name == 'p'
			switch c.name {
			case 'd':
				continue next
			case 's':
				if c.re.MatchString(line) {
					line = c.substitute(line)
					printed = c.print
				}
			}
			if printed {
				out.WriteString(line + "\n")
			}
		}
		if !quiet {
			out.WriteString(line + "\n")
		}
	}
	if text := out.String(); ended {
		return text
	} else {
		return strings.TrimSuffix(text, "\n")
	}
}

func (c *sedCommand) substitute(line string) string {
	count := 1
	if c.global {
		count = -1
	}
	var b strings.Builder
	rest := 0
	for _, m := range c.re.FindAllStringSubmatchIndex(line, count) {
		b.WriteString(line[rest:m[0]])
		b.WriteString(expandSed(c.with, line, m))
		rest = m[1]
	}
	return b.String() + line[rest:]
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
