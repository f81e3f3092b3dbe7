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
	"podium/provision/machine/sim/vfs"
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

func aptMark(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet? f,file: o,option:", option.GNU)
	if !ok {
		return 100
	}
	if len(o.Args) == 0 {
		p.Errorf("E: Invalid operation")
		return 100
	}
	verb, names := o.Args[0], o.Args[1:]
	db := readDatabase(p.Machine())
	if strings.HasPrefix(verb, "show") {
		for _, n := range slices.Sorted(maps.Keys(db.records)) {
			r := db.records[n]
			if verb == "showhold" && r.selection == "hold" || verb == "showauto" && r.auto || verb == "showmanual" && !r.auto {
				p.Print(n + "\n")
			}
		}
		return 0
	}
	if p.Cred.UID != 0 {
		p.Errorf("E: Could not create temporary file for /var/lib/apt/extended_states - mkstemp (13: Permission denied)")
		return 100
	}
	for _, n := range names {
		r := db.records[n]
		if r == nil || !db.present(n) {
			p.Errorf("E: Unable to locate package %s\nE: No packages found", n)
			return 100
		}
		switch verb {
		case "hold":
			if r.selection == "hold" {
				p.Printf("%s was already set on hold.\n", n)
			} else {
				p.Printf("%s set on hold.\n", n)
			}
			r.selection = "hold"
		case "unhold":
			p.Printf("Canceled hold on %s.\n", n)
			r.selection = "install"
		case "auto":
			r.auto = true
		case "manual":
			r.auto = false
		default:
			p.Errorf("E: Invalid operation %s", verb)
			return 100
		}
	}
	if err := db.write(p.FS()); err != nil {
		p.Errorf("E: %s", guest.Reason(err))
		return 100
	}
	return 0
}

func aptConfigCommand(_ context.Context, p *guest.Process) int {
	values := aptConfig(p.Machine(), nil)
	if len(p.Args) > 1 && p.Args[1] == "dump" {
		for _, k := range slices.Sorted(maps.Keys(values)) {
			p.Printf("%s %q;\n", k, values[k])
		}
		return 0
	}
	return p.Fail(100, "the simulator's model has only: apt-config dump")
}

func debconf(_ context.Context, p *guest.Process) int { return 0 }

func dpkg(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,status l,list L,listfiles S,search i,install r,remove P,purge configure a,pending C,audit print-architecture print-foreign-architectures "+
		"compare-versions get-selections set-selections force-confdef force-confold force-confnew force-all force-depends "+
		"W,show f,showformat: add-architecture verify unpack no-triggers force-overwrite version", option.GNU)
	if !ok {
		return 2
	}
	db := readDatabase(p.Machine())
	switch {
	case o.Has("print-architecture"):
		p.Print(p.Machine().Hardware.Arch + "\n")
		return 0
	case o.Has("print-foreign-architectures"), o.Has("add-architecture"), o.Has("verify"):
		return 0
	case o.Has("C"):
		for _, r := range db.broken() {
			p.Printf("The following packages are only half configured, probably due to problems\nconfiguring them the first time.  The configuration should be retried using\n"+
				"dpkg --configure <package> or the configure menu option in dselect:\n %s (simulated)\n", r.name)
		}
		return 0
	case o.Has("compare-versions"):
		return compareVersions(p, o.Args)
	case o.Has("configure"):
		return configurePending(ctx, p, db, o)
	case o.Has("i"), o.Has("unpack"):
		p.Errorf("dpkg: error: cannot access archive '%s': the simulator's model has no .deb files", strings.Join(o.Args, " "))
		return 2
	case o.Has("r"), o.Has("P"):
		for _, n := range o.Args {
			if !db.present(n) {
				p.Errorf("dpkg: warning: ignoring request to remove %s which isn't installed", n)
				continue
			}
			remove(ctx, p.Kernel, n, nil, o.Has("P"))
			delete(db.records, n)
		}
		if err := db.write(p.FS()); err != nil {
			p.Errorf("dpkg: error: %s", guest.Reason(err))
			return 2
		}
		return 0
	case o.Has("get-selections"):
		for _, n := range slices.Sorted(maps.Keys(db.records)) {
			p.Printf("%s\t\t\t%s\n", n, db.records[n].selection)
		}
		return 0
	case o.Has("s"), o.Has("l"), o.Has("L"), o.Has("S"), o.Has("W"):
		return query(p, db, o)
	}
	p.Errorf("dpkg: error: need an action option")
	return 2
}

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

func compareVersions(p *guest.Process, args []string) int {
	if len(args) != 3 {
		p.Errorf("dpkg: error: --compare-versions takes three arguments: <version> <relation> <version>")
		return 2
	}
	c := Compare(args[0], args[2])
	ok, known := map[string]bool{
		"lt": c < 0, "<<": c < 0, "le": c <= 0, "<=": c <= 0, "eq": c == 0, "=": c == 0, "ne": c != 0, "ge": c >= 0, ">=": c >= 0, "gt": c > 0, ">>": c > 0,
	}[args[1]]
	if !known {
		p.Errorf("dpkg: error: --compare-versions bad relation")
		return 2
	}
	if ok {
		return 0
	}
	return 1
}

// configurePending finishes installations that were cut off.
func configurePending(ctx context.Context, p *guest.Process, db *database, o option.Set) int {
	if p.Cred.UID != 0 {
		p.Errorf("dpkg: error: requested operation requires superuser privilege")
		return 2
	}
	f := lockOf(p.Kernel)
	if err := f.take(ctx, p, 0); err != nil {
		p.Errorf("dpkg: error: dpkg frontend lock was locked by another process with pid %d\nNote: removing the lock file is always wrong", f.pid)
		return 2
	}
	defer f.free()
	code := 0
	for _, r := range db.broken() {
		if !o.Has("a") && !slices.Contains(o.Args, r.name) {
			continue
		}
		if r.state == "half-installed" {
			p.Errorf("dpkg: error processing package %s (--configure):\n package is in a very bad inconsistent state; you should\n reinstall it before attempting configuration", r.name)
			code = 1
			continue
		}
		pkg := &Package{Name: r.name, Version: r.version}
		for _, file := range listed(p.Machine(), r.name) {
			if unit, ok := strings.CutPrefix(file, "/usr/lib/systemd/system/"); ok && !strings.Contains(unit, "/") {
				if text, err := p.FS().ReadFile(vfs.Root(), file); err == nil && strings.Contains(text, "[Install]") && r.name != "kubelet" && r.name != "grafana" {
					pkg.Units = append(pkg.Units, unit)
				}
			}
		}
		restoreAccounts(pkg)
		p.Printf("Setting up %s (%s) ...\n", r.name, r.version)
		if err := configure(ctx, p.Kernel, pkg, func(line string) { p.Errorf("%s", line) }); err != nil {
			p.Errorf("dpkg: error processing package %s (--configure):\n %v", r.name, err)
			code = 1
			continue
		}
		r.state = "installed"
	}
	if err := db.write(p.FS()); err != nil {
		p.Errorf("dpkg: error: %s", guest.Reason(err))
		return 2
	}
	return code
}

// restoreAccounts adds what the package's own scripts would make.
func restoreAccounts(p *Package) {
	for _, known := range slices.Concat(jenkins(""), grafana(), []*Package{
		{Name: "docker-ce", Groups: []string{"docker"}}, {Name: "docker.io", Groups: []string{"docker"}},
		{Name: "prometheus", Users: []string{"prometheus"}, Dirs: []string{"/var/lib/prometheus prometheus"}},
		{Name: "prometheus-node-exporter", Users: []string{"prometheus"}}, {Name: "chrony", Users: []string{"_chrony"}},
	}) {
		if known.Name == p.Name {
			p.Users, p.Groups, p.Dirs = known.Users, known.Groups, known.Dirs
		}
	}
}
