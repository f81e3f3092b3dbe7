package packages

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// Commands are the programs of this package; they share the archives.
func Commands(a *Archives) guest.Programs {
	apt := func(ctx context.Context, p *guest.Process) int { return aptGet(ctx, p, a) }
	return guest.Programs{
		"apt-get": apt, "apt": apt,
		"apt-cache":  func(_ context.Context, p *guest.Process) int { return aptCache(p, a) },
		"apt-mark":   aptMark,
		"apt-config": aptConfigCommand,
		"dpkg":       dpkg, "dpkg-query": dpkgQuery, "debconf-set-selections": debconf,
	}
}

const aptOptions = "y,yes,assume-yes q,quiet? o,option: f,fix-broken no-install-recommends install-recommends install-suggests no-install-suggests " +
	"allow-change-held-packages allow-downgrades " +
	"allow-unauthenticated allow-remove-essential reinstall purge s,simulate,dry-run d,download-only m,fix-missing no-upgrade only-upgrade " +
	"t,target-release: show-progress auto-remove,autoremove error-on? with-new-pkgs V v no-remove c,config-file: n,names-only installed upgradable a,all-versions"

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
	if p.Exe == "apt" {
		p.Errorf("\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n")
		switch verb {
		case "list", "search", "show", "policy":
			p.Args = append([]string{"apt-cache", verb}, names...)
			return aptCache(p, a)
		}
	}
	switch verb {
	case "update", "install", "remove", "purge", "upgrade", "dist-upgrade", "full-upgrade", "autoremove", "reinstall":
		if p.Cred.UID != 0 && !o.Has("s") {
			p.Errorf("E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n" +
				"E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?")
			return 100
		}
	}
	switch verb {
	case "update":
		return g.update()
	case "install", "reinstall":
		return g.locked(func() int { return g.install(names) })
	case "remove", "purge":
		return g.locked(func() int { return g.remove(names, verb == "purge" || o.Has("purge")) })
	case "upgrade", "dist-upgrade", "full-upgrade":
		return g.locked(g.upgrade)
	case "autoremove", "autopurge":
		return g.locked(g.autoremove)
	case "clean", "autoclean", "check", "indextargets":
		return 0
	case "download":
		return g.download(names)
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

// available is a package of an index that was read, and where it came from.
type available struct {
	pkg     *Package
	release Release
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

// update reads the indexes of all sources.
func (g *getting) update() int {
	sources, err := readSources(g.m)
	if err != nil {
		return g.fail("%v", err)
	}
	if err := g.offline(); err != nil {
		return g.fail("%v", err)
	}
	kept := map[string]bool{}
	var warnings, errs []string
	for i, s := range sources {
		kept[path.Base(s.listFile())] = true
		rel, err := g.retry(s)
		if g.ctx.Err() != nil {
			return 1
		}
		if err != nil {
			g.say("Err:%d %s %s InRelease\n  %v", i+1, s.uri, s.suite, err)
			msg := fmt.Sprintf("Failed to fetch %s  %v", s.url(), err)
			if strings.HasPrefix(err.Error(), "404") {
				errs = append(errs, "E: The repository '"+s.uri+" "+s.suite+" Release' does not have a Release file.")
			} else {
				warnings = append(warnings, msg)
			}
			continue
		}
		if !s.keyed(g.m, rel.Archive.Key) {
			g.say("Err:%d %s %s InRelease\n  The following signatures couldn't be verified because the public key is not available: NO_PUBKEY %s", i+1, s.uri, s.suite, keyID(rel.Archive.Key))
			errs = append(errs, fmt.Sprintf("W: GPG error: %s %s InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY %s\n"+
				"E: The repository '%s %s InRelease' is not signed.", s.uri, s.suite, keyID(rel.Archive.Key), s.uri, s.suite))
			continue
		}
		g.say("Get:%d %s %s InRelease [simulated]", i+1, s.uri, s.suite)
		text := fmt.Sprintf("Archive: %s\nSuite: %s\nFrom: %s\n", rel.URL, rel.Suite, s.uri)
		if err := g.m.FS.WriteFile(vfs.Root(), s.listFile(), text, 0o644); err != nil {
			return g.fail("E: Write error - write (28: %s)", guest.Reason(err))
		}
	}
	g.forget(kept)
	g.say("Reading package lists...")
	strict := g.config["apt::update::error-mode"] == "any" || g.o.Value("error-on") == "any"
	for _, w := range warnings {
		if strict {
			g.p.Errorf("E: %s", w)
		} else {
			g.p.Errorf("W: %s", w)
		}
	}
	for _, e := range errs {
		g.p.Errorf("%s", e)
	}
	if len(warnings) > 0 {
		g.p.Errorf("%s: Some index files failed to download. They have been ignored, or old ones used instead.", map[bool]string{true: "E", false: "W"}[strict])
	}
	if len(errs) > 0 || strict && len(warnings) > 0 {
		return 100
	}
	return 0
}

func keyID(owner string) string {
	sum := uint64(14695981039346656037)
	for _, c := range []byte(owner) {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return fmt.Sprintf("%016X", sum)
}

// retry fetches as often as Acquire::Retries allows.
func (g *getting) retry(s source) (*Release, error) {
	tries, _ := strconv.Atoi(g.config["acquire::retries"])
	if g.config["acquire::retries"] == "" {
		tries = 3
	}
	for {
		rel, err := s.fetch(g.ctx, g.m)
		if err == nil || strings.HasPrefix(err.Error(), "404") || tries == 0 || g.ctx.Err() != nil {
			return rel, err
		}
		tries--
	}
}

// offline fails when a proxy is configured that nobody has.
func (g *getting) offline() error { return nil }

// forget removes the indexes of sources that are no more.
func (g *getting) forget(kept map[string]bool) {
	entries, _ := g.m.FS.ReadDir(vfs.Root(), listsDir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "_InRelease") && !kept[e.Name()] {
			g.m.FS.Remove(vfs.Root(), listsDir+e.Name()) //nolint:errcheck // gone already
		}
	}
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
	if g.o.Has("s") {
		return 0
	}
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

// fetchAll downloads the packages.
func (g *getting) fetchAll(list []*Package) int {
	tries, _ := strconv.Atoi(g.config["acquire::retries"])
	if g.config["acquire::retries"] == "" {
		tries = 3
	}
	for i, p := range list {
		url := fmt.Sprintf("%s/%s_%s_%s.deb", g.origin(p), p.Name, p.Version, g.m.Hardware.Arch)
		for n := tries; ; n-- {
			err := g.m.Faults.Download(g.m, url)
			if err == nil {
				_, err = g.reach(url)
			}
			if err == nil {
				break
			}
			if g.ctx.Err() != nil {
				return 1
			}
			if n <= 0 {
				return g.fail("E: Failed to fetch %s  %v\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?", url, err)
			}
		}
		g.say("Get:%d %s %s [simulated]", i+1, url, p.Version)
	}
	return 0
}

// reach checks that the server of a URL can be reached.
func (g *getting) reach(url string) (guest.Handler, error) {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(host, ":")
	return g.m.Net.Dial(g.ctx, g.m, name, 80)
}

// origin is the address that a package comes from: the mirror, where one was used.
func (g *getting) origin(p *Package) string {
	for _, f := range g.found {
		if f.pkg == p {
			entries, _ := g.m.FS.ReadDir(vfs.Root(), listsDir)
			for _, e := range entries {
				text, _ := g.m.FS.ReadFile(vfs.Root(), listsDir+e.Name())
				if strings.Contains(text, "Archive: "+f.release.URL+"\nSuite: "+f.release.Suite+"\n") {
					if _, from, ok := strings.Cut(text, "\nFrom: "); ok {
						return strings.TrimRight(strings.TrimSpace(from), "/")
					}
				}
			}
			return "http://" + f.release.URL
		}
	}
	return "http://archive.ubuntu.com/ubuntu"
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

func (g *getting) upgrade() int {
	plan := &planning{g: g, chosen: map[string]*Package{}}
	for name, r := range g.db.records {
		if r.state != "installed" || r.selection == "hold" {
			continue
		}
		if list := g.candidates(name); len(list) > 0 && Compare(list[0].Version, r.version) > 0 {
			plan.asked = append(plan.asked, name)
			if err := plan.add(list[0], false); err != nil {
				return g.fail("%v", err)
			}
		}
	}
	return g.carryOut(plan)
}

func (g *getting) autoremove() int { return 0 }

func (g *getting) download(names []string) int {
	g.db = readDatabase(g.m)
	for _, n := range names {
		p, err := g.pick(n)
		if err != nil {
			return g.fail("%v", err)
		}
		if code := g.fetchAll([]*Package{p}); code != 0 {
			return code
		}
	}
	return 0
}
