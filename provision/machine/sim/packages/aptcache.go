package packages

import (
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func aptCache(p *guest.Process, a *Archives) int {
	o, ok := option.Parse(p, "q,quiet?", option.GNU)
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
	if verb == "policy" {
		return g.policy(names)
	}
	p.Errorf("E: Invalid operation %s (or one the simulator's model of apt-cache does not have)", verb)
	return 100
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
