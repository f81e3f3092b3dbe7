package packages

import (
	"fmt"
	"slices"
	"strings"
)

// planning is what an installation will do.
type planning struct {
	g      *getting
	chosen map[string]*Package
	order  []*Package // dependencies first
	remove []string
	asked  []string
}

// add plans a package and what it depends on.
func (pl *planning) add(p *Package, again bool) error {
	if pl.chosen[p.Name] != nil {
		return nil
	}
	if r := pl.g.db.records[p.Name]; r != nil && r.state == "installed" && r.version == p.Version && !again || p.Files == nil {
		return nil
	}
	pl.chosen[p.Name] = p
	for _, dep := range p.Depends {
		if err := pl.depend(p, dep); err != nil {
			return err
		}
	}
	for _, other := range p.Breaks {
		if pl.g.db.present(other) && pl.chosen[other] == nil {
			pl.remove = append(pl.remove, other)
		}
	}
	pl.order = append(pl.order, p)
	return nil
}

func (pl *planning) depend(p *Package, dep string) error {
	var first *Package
	for alt := range strings.SplitSeq(dep, "|") {
		name := strings.TrimSpace(alt)
		if pl.g.db.installed(name) && !slices.Contains(pl.remove, name) || pl.provided(name) {
			return nil
		}
		if list := pl.g.candidates(name); first == nil && len(list) > 0 {
			first = list[0]
		}
	}
	if first == nil {
		first = pl.g.provider(strings.TrimSpace(dep))
	}
	if first == nil {
		return fmt.Errorf("The following packages have unmet dependencies:\n %s : Depends: %s but it is not installable\nE: Unable to correct problems, you have held broken packages.", p.Name, dep) //nolint:staticcheck // apt's words
	}
	return pl.add(first, false)
}

// provided reports whether something chosen provides a name.
func (pl *planning) provided(name string) bool {
	for _, p := range pl.chosen {
		if p.Name == name || slices.Contains(p.Provides, name) {
			return true
		}
	}
	return false
}
