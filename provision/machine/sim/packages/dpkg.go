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

func dpkg(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "configure a,pending print-architecture force-confdef force-confold get-selections audit", option.GNU)
	if !ok {
		return 2
	}
	db := readDatabase(p.Machine())
	switch {
	case o.Has("print-architecture"):
		p.Print(p.Machine().Hardware.Arch + "\n")
		return 0
	case o.Has("audit"):
		for _, r := range db.broken() {
			p.Printf("The following packages are only half configured, probably due to problems\nconfiguring them the first time:\n %s (simulated)\n", r.name)
		}
		return 0
	case o.Has("configure"):
		return configurePending(ctx, p, db, o)
	case o.Has("get-selections"):
		for _, n := range slices.Sorted(maps.Keys(db.records)) {
			p.Printf("%s\t\t\t%s\n", n, db.records[n].selection)
		}
		return 0
	}
	p.Errorf("dpkg: error: need an action option")
	return 2
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
