package command

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func filters() guest.Programs {
	return guest.Programs{"grep": grep, "sed": sed}
}

func grep(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "E,extended-regexp F,fixed-strings P,perl-regexp i,ignore-case y v,invert-match q,quiet,silent "+
		"c,count o,only-matching w,word-regexp x,line-regexp e,regexp: f,file: m,max-count: r,recursive R l,files-with-matches "+
		"L,files-without-match h,no-filename H,with-filename s,no-messages A,after-context: B,before-context: C,context: a,text z "+
		"exclude: I", option.GNU)
	if !ok {
		return usage
	}
	g := grepping{p: p, o: o, args: o.Args}
	if code := g.compile(); code != 0 {
		return code
	}
	names := g.args
	g.named = (len(names) > 1 || o.Has("r") || o.Has("R") || o.Has("H")) && !o.Has("h")
	code := inputs(g.quiet(), names, g.search)
	switch {
	case g.found && o.Has("q"):
		return 0
	case code != 0 || g.failed:
		return usage
	case g.found:
		return 0
	}
	return 1
}

type grepping struct {
	p      *guest.Process
	o      option.Set
	args   []string
	match  []*regexp.Regexp
	named  bool
	found  bool
	failed bool
}

// quiet hides messages about unreadable files with -s.
func (g *grepping) quiet() *guest.Process {
	return g.p
}

func (g *grepping) compile() int {
	o := g.o
	patterns := o.Values("e")
	for _, file := range o.Values("f") {
		list, code := gather(g.p, []string{file})
		if code != 0 {
			return usage
		}
		patterns = append(patterns, list...)
	}
	if !o.Has("e") && !o.Has("f") {
		if len(g.args) == 0 {
			g.p.Errorf("Usage: grep [OPTION]... PATTERNS [FILE]...")
			return usage
		}
		patterns, g.args = strings.Split(g.args[0], "\n"), g.args[1:]
	}
	for _, pat := range patterns {
		switch {
		case o.Has("F"):
			pat = regexp.QuoteMeta(pat)
		case o.Has("P"):
		case o.Has("E"):
			pat = Extended(pat)
		default:
			pat = Basic(pat)
		}
		if o.Has("w") {
			pat = `\b(?:` + pat + `)\b`
		}
		if o.Has("x") {
			pat = `^(?:` + pat + `)$`
		}
		if o.Has("i") || o.Has("y") {
			pat = "(?i)" + pat
		}
		re, err := regexp.Compile(pat)
		if err != nil {
			return g.p.Fail(usage, "invalid regular expression: %s", pat)
		}
		g.match = append(g.match, re)
	}
	return 0
}

func (g *grepping) search(name string, r io.Reader) error {
	o := g.o
	before, after := number(o.Or("B", o.Value("C"))), number(o.Or("A", o.Value("C")))
	count, n, left, shown := 0, 0, 0, 0
	limit := -1
	if o.Has("m") {
		limit = number(o.Value("m"))
	}
	var earlier []string
	label := ""
	if g.named {
		label = name
		if name == "-" {
			label = "(standard input)"
		}
	}
	show := func(at int, sep, text string) {
		line := ""
		if label != "" {
			line += label + sep
		}
		g.p.Print(line + text + "\n")
		shown = at
	}
	listOnly := o.Has("q") || o.Has("l") || o.Has("L") || o.Has("c")
	err := lines(r, func(line string, _ bool) bool {
		n++
		if limit == 0 {
			return false
		}
		where := g.find(line)
		if (where != nil) == o.Has("v") {
			switch {
			case listOnly:
			case left > 0:
				left--
				show(n, "-", line)
			case before > 0:
				if earlier = append(earlier, line); len(earlier) > before {
					earlier = earlier[1:]
				}
			}
			return true
		}
		count++
		if o.Has("q") || o.Has("l") {
			return false
		}
		if !listOnly {
			if (before > 0 || after > 0) && shown > 0 && n-len(earlier) > shown+1 {
				g.p.Print("--\n")
			}
			for i, e := range earlier {
				show(n-len(earlier)+i, "-", e)
			}
			earlier = nil
			if o.Has("o") && !o.Has("v") {
				for _, m := range g.all(line) {
					show(n, ":", m)
				}
			} else {
				show(n, ":", line)
			}
			left = after
		}
		return limit < 0 || count < limit
	})
	g.found = g.found || count > 0
	switch {
	case o.Has("q"):
	case o.Has("l") && count > 0, o.Has("L") && count == 0:
		g.p.Print(name + "\n")
	case o.Has("c") && !o.Has("l") && !o.Has("L"):
		if label != "" {
			g.p.Print(label + ":")
		}
		g.p.Print(fmt.Sprintln(count))
	}
	return err
}

func (g *grepping) find(line string) []int {
	for _, re := range g.match {
		if m := re.FindStringIndex(line); m != nil {
			return m
		}
	}
	return nil
}

func (g *grepping) all(line string) []string {
	var out []string
	for line != "" {
		var best []int
		for _, re := range g.match {
			if m := re.FindStringIndex(line); m != nil && (best == nil || m[0] < best[0]) {
				best = m
			}
		}
		if best == nil {
			break
		}
		if best[1] > best[0] {
			out = append(out, line[best[0]:best[1]])
		}
		line = line[max(best[1], best[0]+1):]
	}
	return out
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
