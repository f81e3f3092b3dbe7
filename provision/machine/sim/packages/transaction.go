package packages

import (
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
)

// carryOut downloads, unpacks and configures.
func (g *getting) carryOut(plan *planning) int {
	for _, p := range plan.order {
		r := g.db.records[p.Name]
		if r != nil && r.selection == "hold" && r.version != p.Version && !g.o.Has("allow-change-held-packages") {
			return g.fail("E: Held packages were changed and -y was used without --allow-change-held-packages.")
		}
		if r != nil && r.state == "installed" && Compare(p.Version, r.version) < 0 && !g.o.Has("allow-downgrades") {
			return g.fail("E: Packages were downgraded and -y was used without --allow-downgrades.")
		}
	}
	if len(plan.order) == 0 {
		for _, name := range plan.asked {
			if r := g.db.records[name]; r != nil {
				g.say("%s is already the newest version (%s).", name, r.version)
				r.auto = false
			}
		}
		g.say("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.")
		if err := g.db.write(g.m.FS); err != nil {
			return g.fail("E: %s", guest.Reason(err))
		}
		return 0
	}
	var names []string
	var kib int64
	for _, p := range plan.order {
		names = append(names, p.Name)
		kib += p.Size
	}
	slices.Sort(names)
	g.say("The following NEW packages will be installed:\n  %s\n0 upgraded, %d newly installed, %d to remove and 0 not upgraded.", strings.Join(names, " "), len(names), len(plan.remove))
	if !g.o.Has("y") && g.config["apt::get::assume-yes"] != "true" && len(plan.order) > len(plan.asked) && !g.p.TTY() {
		g.p.Print("Do you want to continue? [Y/n] Abort.\n")
		return 1
	}
	if used, capacity := g.m.FS.Usage(); capacity > 0 && capacity-used < kib*1024 {
		return g.fail("E: You don't have enough free space in /var/cache/apt/archives/.")
	}
	if code := g.fetchAll(plan.order); code != 0 || g.o.Has("d") {
		return code
	}
	return g.apply(plan)
}

// apply unpacks and configures. Cut off in the middle, it leaves packages half configured.
func (g *getting) apply(plan *planning) int {
	for _, name := range plan.remove {
		remove(g.ctx, g.p.Kernel, name, nil, false)
		delete(g.db.records, name)
		g.say("Removing %s ...", name)
	}
	for _, p := range plan.order {
		old := g.db.records[p.Name]
		r := recordOf(p, g.m.Hardware.Arch)
		r.state = "half-configured"
		r.auto = !slices.Contains(plan.asked, p.Name)
		var freed int64
		if old != nil {
			freed = old.size
			if old.selection == "hold" {
				r.selection = "hold"
			}
		}
		g.say("Unpacking %s (%s) ...", p.Name, p.Version)
		g.db.records[p.Name] = r
		err := g.m.FS.Occupy((p.Size - freed) * 1024)
		if err == nil {
			err = unpack(g.m.FS, p)
		}
		if err != nil {
			r.state = "half-installed"
			g.db.write(g.m.FS) //nolint:errcheck // the disk is full
			return g.fail("dpkg: error processing archive /var/cache/apt/archives/%s_%s.deb (--unpack):\n cannot copy extracted data: failed to write (%s)\n"+
				"E: Sub-process /usr/bin/dpkg returned an error code (1)", p.Name, p.Version, guest.Reason(err))
		}
	}
	if err := g.db.write(g.m.FS); err != nil {
		return g.fail("E: %s", guest.Reason(err))
	}
	if err := g.p.Midway(); err != nil {
		return 1
	}
	for _, p := range plan.order {
		g.say("Setting up %s (%s) ...", p.Name, p.Version)
		if err := configure(g.ctx, g.p.Kernel, p, func(line string) { g.p.Errorf("%s", line) }); err != nil {
			if g.ctx.Err() != nil {
				return 1
			}
			g.db.write(g.m.FS) //nolint:errcheck // reported below
			return g.fail("dpkg: error processing package %s (--configure):\n %v\nE: Sub-process /usr/bin/dpkg returned an error code (1)", p.Name, err)
		}
		g.db.records[p.Name].state = "installed"
	}
	if err := g.db.write(g.m.FS); err != nil {
		return g.fail("E: %s", guest.Reason(err))
	}
	return 0
}
