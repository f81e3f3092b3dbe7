package packages

import (
	"context"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func dpkgQuery(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "W,show f,showformat:", option.GNU)
	if !ok {
		return 2
	}
	if !o.Has("W") || len(o.Args) == 0 {
		return p.Fail(2, "error: the simulator's model has only: dpkg-query --show NAME...")
	}
	db, code := readDatabase(p.Machine()), 0
	for _, want := range o.Args {
		found := false
		for _, n := range slices.Sorted(maps.Keys(db.records)) {
			if ok, err := path.Match(want, n); err == nil && ok {
				found = true
				show(p, db.records[n], o.Or("f", "${binary:Package}\\t${Version}\\n"))
			}
		}
		if !found {
			p.Errorf("dpkg-query: no packages found matching %s", want)
			code = 1
		}
	}
	return code
}

func show(p *guest.Process, r *record, format string) {
	text := regexp.MustCompile(`\$\{([A-Za-z:-]+)(;-?[0-9]+)?\}`).ReplaceAllStringFunc(format, func(v string) string {
		key, _, _ := strings.Cut(strings.Trim(v, "${}"), ";")
		return map[string]string{
			"Package": r.name, "binary:Package": r.name, "Version": r.version, "Architecture": r.arch, "Status": r.selection + " ok " + r.state,
			"db:Status-Status": r.state, "db:Status-Want": r.selection, "db:Status-Abbrev": abbreviation(r), "Depends": r.depends,
		}[key]
	})
	p.Print(strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(text))
}

func abbreviation(r *record) string {
	return map[string]string{"install": "i", "hold": "h", "deinstall": "r"}[r.selection] +
		map[string]string{"installed": "i", "half-configured": "F", "half-installed": "H", "unpacked": "U", "config-files": "c"}[r.state] + " "
}
