package packages

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func dpkgQuery(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,status l,list L,listfiles S,search W,show f,showformat:", option.GNU)
	if !ok {
		return 2
	}
	return query(p, readDatabase(p.Machine()), o)
}

// query is what dpkg and dpkg-query share.
func query(p *guest.Process, db *database, o option.Set) int {
	code := 0
	names := o.Args
	if len(names) == 0 {
		names = []string{"*"}
	}
	if o.Has("S") {
		for _, want := range o.Args {
			found := false
			for _, n := range slices.Sorted(maps.Keys(db.records)) {
				if slices.ContainsFunc(listed(p.Machine(), n), func(f string) bool { return f == want || strings.HasSuffix(f, "/"+want) }) {
					p.Printf("%s: %s\n", n, want)
					found = true
				}
			}
			if !found {
				p.Errorf("dpkg-query: no path found matching pattern %s", want)
				code = 1
			}
		}
		return code
	}
	if o.Has("l") {
		p.Print("Desired=Unknown/Install/Remove/Purge/Hold\n||/ Name           Version      Architecture Description\n+++-==============-============-============-=================================\n")
	}
	for _, want := range names {
		want, _, _ = strings.Cut(want, ":")
		found := false
		for _, n := range slices.Sorted(maps.Keys(db.records)) {
			if ok, err := path.Match(want, n); err != nil || !ok {
				continue
			}
			found = true
			show(p, db.records[n], o)
		}
		if !found {
			switch {
			case o.Has("s"):
				p.Errorf("dpkg-query: package '%s' is not installed and no information is available", want)
			case o.Has("L"):
				p.Errorf("dpkg-query: package '%s' is not installed", want)
			default:
				p.Errorf("dpkg-query: no packages found matching %s", want)
			}
			code = 1
		}
	}
	return code
}

func show(p *guest.Process, r *record, o option.Set) {
	switch {
	case o.Has("L"):
		for _, f := range listed(p.Machine(), r.name) {
			p.Print(f + "\n")
		}
	case o.Has("s"):
		p.Printf("Package: %s\nStatus: %s ok %s\nInstalled-Size: %d\nArchitecture: %s\nVersion: %s\nDescription: %s\n\n", r.name, r.selection, r.state, r.size, r.arch, r.version, r.summary)
	case o.Has("l"):
		first := map[string]string{"install": "i", "hold": "h", "deinstall": "r", "purge": "p"}[r.selection]
		second := map[string]string{"installed": "i", "half-configured": "F", "half-installed": "H", "unpacked": "U", "config-files": "c"}[r.state]
		p.Printf("%s%s  %-14s %-12s %-12s %s\n", first, second, r.name, r.version, r.arch, r.summary)
	default:
		format := o.Or("f", "${binary:Package}\\t${Version}\\n")
		text := regexp.MustCompile(`\$\{([A-Za-z:-]+)(;-?[0-9]+)?\}`).ReplaceAllStringFunc(format, func(v string) string {
			key := strings.Trim(v, "${}")
			key, _, _ = strings.Cut(key, ";")
			return map[string]string{
				"Package": r.name, "binary:Package": r.name, "Version": r.version, "Architecture": r.arch, "Status": r.selection + " ok " + r.state,
				"db:Status-Status": r.state, "db:Status-Want": r.selection, "db:Status-Abbrev": abbreviation(r), "Installed-Size": fmt.Sprint(r.size), "Depends": r.depends,
			}[key]
		})
		p.Print(strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(text))
	}
}

func abbreviation(r *record) string {
	return map[string]string{"install": "i", "hold": "h", "deinstall": "r"}[r.selection] +
		map[string]string{"installed": "i", "half-configured": "F", "half-installed": "H", "unpacked": "U", "config-files": "c"}[r.state] + " "
}
