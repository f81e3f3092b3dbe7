package packages

import (
	"context"
	"maps"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

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
