package systemd

import (
	"maps"
	"slices"
	"strings"

	"podium/provision/machine/sim/kernel"
	"podium/provision/machine/sim/vfs"
)

func (c *control) isActive() int {
	code := 3
	for _, n := range c.names {
		state := c.m.Active(n)
		if state == "inactive" && len(c.names) == 1 && load(c.p.Machine(), n) == nil && !strings.HasSuffix(n, ".swap") {
			code = 4
		}
		if state == "active" {
			code = 0
		}
		c.say(state)
	}
	return code
}

func (c *control) isEnabled() int {
	code := 0
	for _, n := range c.names {
		state := Enabled(c.p.Machine(), n)
		if state == "not-found" && strings.HasSuffix(n, ".swap") {
			if _, known := kernel.SwapUnits(c.p.Kernel)[n]; known {
				state = "generated"
			}
		}
		switch state {
		case "not-found":
			if !c.o.Has("q") {
				c.p.Errorf("Failed to get unit file state for %s: No such file or directory", n)
			}
			code = 1
			continue
		case "disabled", "masked":
			code = 1
		}
		c.say(state)
	}
	return code
}

func (c *control) status() int {
	code := 0
	for _, n := range c.names {
		d := load(c.p.Machine(), n)
		if d == nil {
			c.p.Errorf("Unit %s could not be found.", n)
			code = 4
			continue
		}
		c.m.mu.Lock()
		u := c.m.units[n]
		active, sub, pid := "inactive", "dead", 0
		if u != nil {
			active, sub = u.active, u.sub
			if u.main != nil {
				pid = u.main.PID
			}
		}
		c.m.mu.Unlock()
		c.p.Printf("● %s - %s (simulated)\n     Loaded: loaded (%s; %s)\n     Active: %s (%s)\n", n, d.value("Unit", "Description"), d.file,
			Enabled(c.p.Machine(), n), active, sub)
		if pid > 0 {
			c.p.Printf("   Main PID: %d\n", pid)
		}
		for _, e := range c.m.lines(n, 10) {
			c.p.Print(e + "\n")
		}
		if active != "active" {
			code = 3
		}
	}
	return code
}

func (c *control) cat() int {
	for _, n := range c.names {
		d := load(c.p.Machine(), n)
		if d == nil {
			c.p.Errorf("No files found for %s.", n)
			return 1
		}
		c.p.Print(d.text)
	}
	return 0
}

func (c *control) list() int {
	kind := c.o.Value("type")
	show := func(name string) bool { return kind == "" || strings.HasSuffix(name, "."+kind) }
	if c.verb == "list-unit-files" {
		seen := map[string]bool{}
		for _, dir := range unitDirs() {
			entries, _ := c.p.FS().ReadDir(vfs.Root(), dir)
			for _, e := range entries {
				if n := e.Name(); !e.IsDir() && strings.Contains(n, ".") && show(n) && (len(c.names) == 0 || slices.Contains(c.names, n)) {
					seen[n] = true
				}
			}
		}
		for _, n := range slices.Sorted(maps.Keys(seen)) {
			c.p.Printf("%s %s\n", n, Enabled(c.p.Machine(), n))
		}
		return 1 - min(1, len(seen))
	}
	c.m.mu.Lock()
	states := map[string][2]string{}
	for n, u := range c.m.units {
		states[n] = [2]string{u.active, u.sub}
	}
	c.m.mu.Unlock()
	for n, on := range kernel.SwapUnits(c.p.Kernel) {
		states[n] = [2]string{"inactive", "dead"}
		if on {
			states[n] = [2]string{"active", "active"}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(states)) {
		s := states[n]
		if !show(n) || s[0] == "inactive" && !c.o.Has("all") || c.o.Has("failed") && s[0] != "failed" || c.o.Has("state") && s[0] != c.o.Value("state") && s[1] != c.o.Value("state") {
			continue
		}
		c.p.Printf("%s loaded %s %s %s\n", n, s[0], s[1], n)
	}
	return 0
}
