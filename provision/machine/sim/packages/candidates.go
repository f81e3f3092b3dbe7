package packages

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// available is a package of an index that was read, and where it came from.
type available struct {
	pkg     *Package
	release Release
}

// candidates are the versions on offer, the newest first.
func (g *getting) candidates(name string) []*Package {
	g.load()
	var list []*Package
	for _, f := range g.found {
		if f.pkg.Name == name && !slices.ContainsFunc(list, func(p *Package) bool { return p.Version == f.pkg.Version }) {
			list = append(list, f.pkg)
		}
	}
	slices.SortStableFunc(list, func(a, b *Package) int { return Compare(b.Version, a.Version) })
	return list
}

// pick finds what an argument of install asks for: NAME, NAME=VERSION with wildcards.
func (g *getting) pick(arg string) (*Package, error) {
	name, version, exact := strings.Cut(arg, "=")
	name, _, _ = strings.Cut(name, ":")
	list := g.candidates(name)
	if !exact {
		if len(list) > 0 {
			return list[0], nil
		}
		if p := g.provider(name); p != nil {
			return p, nil
		}
		if r := g.db.records[name]; r != nil && r.state == "installed" {
			return &Package{Name: name, Version: r.version}, nil
		}
		return nil, fmt.Errorf("E: Unable to locate package %s", name)
	}
	for _, p := range list {
		if p.Version == version || matches(version, p.Version) {
			return p, nil
		}
	}
	for _, rel := range lists(g.m) {
		if a := g.archives.OfSuite(rel.URL, rel.Suite); a != nil && a.exact != nil {
			if p := a.exact(name, strings.ReplaceAll(version, "*", "")); p != nil && !strings.HasPrefix(version, "*") && matches(version, p.Version) {
				return p, nil
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("E: Unable to locate package %s", name)
	}
	return nil, fmt.Errorf("E: Version '%s' for '%s' was not found", version, name)
}

func matches(pattern, version string) bool {
	ok, err := path.Match(pattern, version)
	return err == nil && ok
}

func (g *getting) provider(name string) *Package {
	for _, f := range g.found {
		if slices.Contains(f.pkg.Provides, name) {
			return f.pkg
		}
	}
	return nil
}
