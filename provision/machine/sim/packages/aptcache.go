package packages

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func aptCache(p *guest.Process, a *Archives) int {
	o, ok := option.Parse(p, "n,names-only q,quiet? a,all-versions no-all-versions o,option: installed f,full no-recommends recurse i,important", option.GNU)
	if !ok {
		return 100
	}
	g := &getting{ctx: p.Context(), p: p, m: p.Machine(), o: o, archives: a, db: readDatabase(p.Machine())}
	g.load()
	if len(o.Args) == 0 {
		p.Errorf("E: Invalid operation")
		return 100
	}
	verb, names := o.Args[0], o.Args[1:]
	switch verb {
	case "policy":
		return g.policy(names)
	case "madison":
		for _, n := range names {
			for _, c := range g.candidates(n) {
				p.Printf("%10s | %10s | %s Packages\n", n, c.Version, g.origin(c))
			}
		}
		return 0
	case "search":
		return g.search(names)
	case "show":
		code := 100
		for _, n := range names {
			for _, c := range g.candidates(n) {
				code = 0
				p.Printf("Package: %s\nVersion: %s\nDepends: %s\nDescription: %s\n\n", c.Name, c.Version, strings.Join(c.Depends, ", "), c.Summary)
			}
		}
		if code != 0 {
			p.Errorf("E: No packages found")
		}
		return code
	case "pkgnames":
		for _, n := range g.names() {
			p.Print(n + "\n")
		}
		return 0
	case "depends":
		for _, n := range names {
			if c := g.candidates(n); len(c) > 0 {
				p.Print(n + "\n")
				for _, d := range c[0].Depends {
					p.Print("  Depends: " + d + "\n")
				}
			}
		}
		return 0
	case "list":
		for _, n := range slices.Sorted(maps.Keys(g.db.records)) {
			p.Printf("%s/now %s %s [installed]\n", n, g.db.records[n].version, g.db.records[n].arch)
		}
		return 0
	}
	p.Errorf("E: Invalid operation %s (or one the simulator's model of apt-cache does not have)", verb)
	return 100
}

func (g *getting) names() []string {
	seen := map[string]bool{}
	for _, f := range g.found {
		seen[f.pkg.Name] = true
	}
	for n := range g.db.records {
		seen[n] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func (g *getting) policy(names []string) int {
	for _, n := range names {
		list := g.candidates(n)
		r := g.db.records[n]
		if len(list) == 0 && r == nil {
			continue
		}
		installed, candidate := "(none)", "(none)"
		if r != nil && r.state == "installed" {
			installed, candidate = r.version, r.version
		}
		if len(list) > 0 {
			candidate = list[0].Version
		}
		g.p.Printf("%s:\n  Installed: %s\n  Candidate: %s\n  Version table:\n", n, installed, candidate)
		for _, c := range list {
			mark := "   "
			if c.Version == installed {
				mark = "***"
			}
			g.p.Printf(" %s %s 500\n        500 %s Packages\n", mark, c.Version, g.origin(c))
		}
	}
	return 0
}

func (g *getting) search(patterns []string) int {
	var all []*regexp.Regexp
	for _, pat := range patterns {
		re, err := regexp.Compile("(?i)" + pat)
		if err != nil {
			return g.fail("E: Regex compilation error - %v", err)
		}
		all = append(all, re)
	}
	for _, n := range g.names() {
		summary := n + " (simulated)"
		if list := g.candidates(n); len(list) > 0 && list[0].Summary != "" {
			summary = list[0].Summary
		}
		hit := len(all) > 0
		for _, re := range all {
			hit = hit && (re.MatchString(n) || !g.o.Has("n") && re.MatchString(summary))
		}
		if hit {
			g.p.Printf("%s - %s\n", n, summary)
		}
	}
	return 0
}
