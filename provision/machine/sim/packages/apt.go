package packages

import (
	"context"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// Commands are the programs of this package; they share the archives.
func Commands(a *Archives) guest.Programs {
	apt := func(ctx context.Context, p *guest.Process) int { return aptGet(ctx, p, a) }
	return guest.Programs{
		"apt-get":   apt,
		"apt-cache": func(_ context.Context, p *guest.Process) int { return aptCache(p, a) },
		"apt-mark":  aptMark,
		"dpkg":      dpkg, "dpkg-query": dpkgQuery,
	}
}

const aptOptions = "y,yes,assume-yes q,quiet? o,option: f,fix-broken no-install-recommends " +
	"allow-change-held-packages allow-downgrades " +
	"reinstall purge s,simulate,dry-run d,download-only " +
	"error-on? n,names-only a,all-versions"

// aptGet is apt-get and apt.
func aptGet(ctx context.Context, p *guest.Process, a *Archives) int {
	o, ok := option.Parse(p, aptOptions, option.GNU)
	if !ok {
		return 100
	}
	g := &getting{ctx: ctx, p: p, m: p.Machine(), o: o, archives: a}
	g.config = aptConfig(g.m, o.Values("o"))
	if len(o.Args) == 0 {
		p.Errorf("E: Invalid operation")
		return 100
	}
	verb, names := o.Args[0], o.Args[1:]
	switch verb {
	case "update", "install", "remove", "purge":
		if p.Cred.UID != 0 && !o.Has("s") {
			p.Errorf("E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n" +
				"E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?")
			return 100
		}
	}
	switch verb {
	case "update":
		return g.update()
	case "install":
		return g.locked(func() int { return g.install(names) })
	case "remove", "purge":
		return g.locked(func() int { return g.remove(names, verb == "purge" || o.Has("purge")) })
	case "clean":
		return 0
	}
	p.Errorf("E: Invalid operation %s (or one the simulator's model of %s does not have)", verb, p.Exe)
	return 100
}

// getting is one run of apt-get.
type getting struct {
	ctx      context.Context
	p        *guest.Process
	m        *guest.Machine
	o        option.Set
	archives *Archives
	config   map[string]string
	db       *database
	found    []available
}

func (g *getting) say(format string, args ...any) {
	if !g.o.Has("q") || g.o.Value("q") == "" {
		g.p.Printf(format+"\n", args...)
	}
}

func (g *getting) fail(format string, args ...any) int {
	g.p.Errorf(format, args...)
	return 100
}

// locked runs do with the package lock, and reads the database after it has it.
func (g *getting) locked(do func() int) int {
	patience, _ := strconv.Atoi(g.config["dpkg::lock::timeout"])
	f := lockOf(g.p.Kernel)
	if err := f.take(g.ctx, g.p, time.Duration(patience)*time.Second); err != nil {
		if g.ctx.Err() != nil {
			return 1
		}
		return g.fail("%v", err)
	}
	defer f.free()
	g.db = readDatabase(g.m)
	return do()
}

// load reads which packages the indexes offer.
func (g *getting) load() {
	if g.found != nil {
		return
	}
	seen := map[*Archive]bool{}
	for _, rel := range lists(g.m) {
		a := g.archives.OfSuite(rel.URL, rel.Suite)
		if a == nil || seen[a] {
			continue
		}
		seen[a] = true
		rel.Archive = a
		for _, p := range a.Packages {
			g.found = append(g.found, available{p, rel})
		}
	}
}

// install installs packages with all they depend on.
func (g *getting) install(names []string) int {
	if broken := g.db.broken(); len(broken) > 0 {
		if !g.o.Has("f") {
			return g.fail("E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.")
		}
	}
	if g.o.Has("f") && len(names) == 0 {
		return g.fixBroken()
	}
	plan := &planning{g: g, chosen: map[string]*Package{}}
	for _, arg := range names {
		if strings.HasSuffix(arg, ".deb") {
			return g.fail("E: Unsupported file %s given on commandline (the simulator's model has no .deb files)", arg)
		}
		p, err := g.pick(arg)
		if err != nil {
			g.p.Errorf("%v", err)
			return 100
		}
		plan.asked = append(plan.asked, p.Name)
		if err := plan.add(p, g.o.Has("reinstall")); err != nil {
			return g.fail("%v", err)
		}
	}
	return g.carryOut(plan)
}

// fixBroken finishes what was cut off.
func (g *getting) fixBroken() int {
	plan := &planning{g: g, chosen: map[string]*Package{}}
	for _, r := range g.db.broken() {
		p, err := g.pick(r.name + "=" + r.version)
		if err != nil {
			return g.fail("%v", err)
		}
		plan.asked = append(plan.asked, p.Name)
		if err := plan.add(p, true); err != nil {
			return g.fail("%v", err)
		}
	}
	if len(plan.order) == 0 {
		g.say("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.")
		return 0
	}
	return g.carryOut(plan)
}

func (g *getting) remove(names []string, purge bool) int {
	for _, name := range names {
		r := g.db.records[name]
		if r == nil || !g.db.present(name) {
			if len(g.candidates(name)) == 0 {
				return g.fail("E: Unable to locate package %s", name)
			}
			g.say("Package '%s' is not installed, so not removed", name)
			continue
		}
		remove(g.ctx, g.p.Kernel, name, nil, purge)
		g.m.FS.Occupy(-r.size * 1024) //nolint:errcheck // freeing cannot fail
		if purge {
			delete(g.db.records, name)
		} else {
			r.state, r.selection = "config-files", "deinstall"
		}
		g.say("Removing %s (%s) ...", name, r.version)
	}
	if err := g.db.write(g.m.FS); err != nil {
		return g.fail("E: %s", guest.Reason(err))
	}
	return 0
}
