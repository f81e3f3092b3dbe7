package command

import (
	"bufio"
	"context"
	"io"
	"regexp"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func filters() guest.Programs { return guest.Programs{"grep": grep, "sed": sed} }

func grep(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "E,extended-regexp F,fixed-strings i,ignore-case v,invert-match q,quiet,silent c,count o,only-matching "+
		"w,word-regexp x,line-regexp e,regexp: m,max-count: h,no-filename", option.GNU)
	if !ok {
		return usage
	}
	patterns, names := o.Values("e"), o.Args
	if !o.Has("e") {
		if len(names) == 0 {
			p.Errorf("Usage: grep [OPTION]... PATTERNS [FILE]...")
			return usage
		}
		patterns, names = strings.Split(names[0], "\n"), names[1:]
	}
	re, err := grepPattern(patterns, o)
	if err != nil {
		return p.Fail(usage, "%v", err)
	}
	g := grepping{p: p, o: o, re: re, named: len(names) > 1 && !o.Has("h")}
	if code := inputs(p, names, g.search); code != 0 && (!g.found || !o.Has("q")) {
		return usage
	}
	if g.found {
		return 0
	}
	return 1
}

// grepPattern makes one expression of all patterns.
func grepPattern(patterns []string, o option.Set) (*regexp.Regexp, error) {
	var all []string
	for _, pat := range patterns {
		switch {
		case o.Has("F"):
			pat = regexp.QuoteMeta(pat)
		case o.Has("E"):
			pat = Extended(pat)
		default:
			pat = Basic(pat)
		}
		all = append(all, "(?:"+pat+")")
	}
	expr := strings.Join(all, "|")
	switch {
	case o.Has("x"):
		expr = "^(?:" + expr + ")$"
	case o.Has("w"):
		expr = `\b(?:` + expr + `)\b`
	}
	if o.Has("i") {
		expr = "(?i)" + expr
	}
	return regexp.Compile(expr)
}

type grepping struct {
	p     *guest.Process
	o     option.Set
	re    *regexp.Regexp
	named bool
	found bool
}

// search looks through one file. It does not read on when the answer is known, so that a pipe's writer may end.
func (g *grepping) search(name string, r io.Reader) error {
	prefix := ""
	if g.named {
		prefix = name + ":"
	}
	most := -1
	if g.o.Has("m") {
		most = number(g.o.Value("m"))
	}
	hits := 0
	err := lines(bufio.NewReader(r), func(line string, _ bool) bool {
		if hits == most || g.re.MatchString(line) == g.o.Has("v") {
			return hits != most
		}
		hits++
		g.found = true
		switch {
		case g.o.Has("q"):
			return false
		case g.o.Has("c"):
		case g.o.Has("o"):
			for _, m := range g.re.FindAllString(line, -1) {
				if m != "" && !g.o.Has("v") {
					g.p.Print(prefix + m + "\n")
				}
			}
		default:
			g.p.Print(prefix + line + "\n")
		}
		return hits != most
	})
	if g.o.Has("c") && !g.o.Has("q") {
		g.p.Printf("%s%d\n", prefix, hits)
	}
	return err
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
