package systemd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/kernel"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"systemctl": systemctl, "journalctl": journalctl, "hostnamectl": hostnamectl, "timedatectl": timedatectl, "resolvectl": resolvectl,
		"systemd-detect-virt": detectVirt, "systemd-tmpfiles": succeed, "systemd-sysusers": succeed, "loginctl": succeed, "systemd-notify": succeed,
		"chronyc": chronyc, "reboot": power, "poweroff": power, "halt": power, "shutdown": power, "cloud-init": cloudInit, "service": service,
		"systemd-cat": systemdCat, "invoke-rc.d": service, "update-rc.d": succeed, "deb-systemd-helper": succeed, "deb-systemd-invoke": succeed,
	}
}

func succeed(context.Context, *guest.Process) int { return 0 }

func systemctl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet no-pager now type,t: all,a plain no-legend state: f,force no-block property,p: value full,l lines,n: "+
		"output,o: system user runtime no-reload no-ask-password failed no-warn job-mode: s,signal: kill-whom: what: legend? wait", option.GNU)
	if !ok {
		return 1
	}
	if len(o.Args) == 0 {
		o.Args = []string{"list-units"}
	}
	c := control{ctx: ctx, p: p, o: o, m: Of(p.Kernel), verb: o.Args[0]}
	for _, n := range o.Args[1:] {
		c.names = append(c.names, full(n))
	}
	return c.run()
}

type control struct {
	ctx   context.Context
	p     *guest.Process
	o     option.Set
	m     *Manager
	verb  string
	names []string
}

// run carries out the verb.
func (c *control) run() int {
	switch c.verb {
	case "start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "enable", "disable", "mask", "unmask", "daemon-reload",
		"daemon-reexec", "reset-failed", "kill", "reenable", "preset", "poweroff", "reboot", "halt", "set-default", "isolate", "revert":
		if c.p.Cred.UID != 0 {
			c.p.Errorf("Failed to %s %s: Interactive authentication required.", c.verb, strings.Join(c.o.Args[1:], " "))
			return 1
		}
	}
	switch c.verb {
	case "start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "enable", "disable", "mask", "unmask", "cat", "kill", "reenable", "preset", "revert":
		if len(c.names) == 0 {
			c.p.Errorf("Too few arguments.")
			return 1
		}
	}
	switch c.verb {
	case "start":
		return c.each(c.m.Start)
	case "stop":
		return c.each(c.m.Stop)
	case "restart":
		return c.each(c.m.Restart)
	case "try-restart":
		return c.each(func(ctx context.Context, n string) error {
			if c.m.Active(n) != "active" {
				return nil
			}
			return c.m.Restart(ctx, n)
		})
	case "reload":
		return c.each(c.m.ReloadUnit)
	case "reload-or-restart":
		return c.each(func(ctx context.Context, n string) error {
			if d := load(c.p.Machine(), n); d != nil && len(d.values("Service", "ExecReload")) > 0 && c.m.Active(n) == "active" {
				return c.m.ReloadUnit(ctx, n)
			}
			return c.m.Restart(ctx, n)
		})
	case "enable", "reenable", "preset":
		return c.enable()
	case "disable":
		return c.disable()
	case "mask":
		return c.mask()
	case "unmask":
		return c.unmask()
	case "daemon-reload", "daemon-reexec":
		c.m.Reload()
		return 0
	case "is-active":
		return c.isActive()
	case "is-failed":
		for _, n := range c.names {
			if c.m.Active(n) == "failed" {
				c.say("failed")
				return 0
			}
			c.say(c.m.Active(n))
		}
		return 1
	case "is-enabled":
		return c.isEnabled()
	case "is-system-running":
		c.say("running")
		return 0
	case "status":
		return c.status()
	case "show":
		return c.show()
	case "cat":
		return c.cat()
	case "list-units", "list-unit-files", "list-timers", "list-sockets":
		return c.list()
	case "reset-failed":
		c.resetFailed()
		return 0
	case "kill":
		return c.kill()
	case "poweroff", "reboot", "halt":
		c.p.Kernel.PowerOff(c.verb == "reboot")
		return 0
	case "get-default":
		c.say("multi-user.target")
		return 0
	case "set-default", "isolate":
		return 0
	}
	c.p.Errorf("Unknown command verb '%s' (or one the simulator's model of systemctl does not have).", c.verb)
	return 1
}

func (c *control) say(line string) {
	if !c.o.Has("q") {
		c.p.Print(line + "\n")
	}
}

func (c *control) each(do func(context.Context, string) error) int {
	code := 0
	for _, n := range c.names {
		if err := do(c.ctx, n); err != nil {
			c.p.Errorf("%v", err)
			code = 1
			if e, ok := err.(*errUnit); ok {
				code = e.code
			}
		}
	}
	return code
}

func (c *control) enable() int {
	code := 0
	for _, n := range c.names {
		before := Enabled(c.p.Machine(), n)
		if strings.Contains(n, "/") {
			c.p.Errorf("Failed to enable unit: the simulator's model enables units by name, not by path: %s", n)
			return 1
		}
		if err := Enable(c.p.Machine(), n, func(line string) {
			if !c.o.Has("q") {
				c.p.Errorf("%s", line)
			}
		}); err != nil {
			c.p.Errorf("%v", err)
			code = 1
			continue
		}
		if before == "static" && !c.o.Has("q") {
			c.p.Errorf("The unit files have no installation config (WantedBy=, RequiredBy=, UpheldBy=,\nAlso=, or Alias= settings in the [Install] section).")
		}
	}
	if code == 0 && c.o.Has("now") {
		return c.each(c.m.Start)
	}
	return code
}

func (c *control) disable() int {
	code := 0
	for _, n := range c.names {
		if err := Disable(c.p.Machine(), n, func(line string) {
			if !c.o.Has("q") {
				c.p.Errorf("%s", line)
			}
		}); err != nil {
			c.p.Errorf("%v", err)
			code = 1
		}
	}
	if code == 0 && c.o.Has("now") {
		return c.each(c.m.Stop)
	}
	return code
}

func (c *control) mask() int {
	fs, root := c.p.FS(), vfs.Root()
	for _, n := range c.names {
		file := "/etc/systemd/system/" + n
		if to, err := fs.Readlink(root, file); err == nil && to == "/dev/null" {
			continue
		}
		if info, err := fs.Lstat(root, file); err == nil && info.Mode().IsRegular() {
			c.p.Errorf("Failed to mask unit: File %s already exists.", file)
			return 1
		}
		fs.Remove(root, file) //nolint:errcheck // a link of enable, or nothing
		if err := fs.Symlink(root, "/dev/null", file); err != nil {
			c.p.Errorf("Failed to mask unit: %s", guest.Reason(err))
			return 1
		}
		if !c.o.Has("q") {
			c.p.Errorf("Created symlink %s → /dev/null.", file)
		}
	}
	c.m.Reload()
	if c.o.Has("now") {
		return c.each(c.m.Stop)
	}
	return 0
}

func (c *control) unmask() int {
	for _, n := range c.names {
		file := "/etc/systemd/system/" + n
		if to, err := c.p.FS().Readlink(vfs.Root(), file); err == nil && to == "/dev/null" {
			if err := c.p.FS().Remove(vfs.Root(), file); err == nil && !c.o.Has("q") {
				c.p.Errorf("Removed %q.", file)
			}
		}
	}
	return 0
}

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

func (c *control) show() int {
	if len(c.names) == 0 {
		c.p.Print("Version=255 (simulated)\n")
		return 0
	}
	for _, n := range c.names {
		props := c.m.properties(n)
		wanted := strings.FieldsFunc(strings.Join(c.o.Values("property"), ","), func(r rune) bool { return r == ',' })
		if len(wanted) == 0 {
			wanted = slices.Sorted(maps.Keys(props))
		}
		for _, key := range wanted {
			if c.o.Has("value") {
				c.p.Print(props[key] + "\n")
			} else {
				c.p.Printf("%s=%s\n", key, props[key])
			}
		}
	}
	return 0
}

func (m *Manager) properties(name string) map[string]string {
	props := map[string]string{
		"Id": name, "LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead", "MainPID": "0", "NRestarts": "0", "Result": "success",
		"ExecMainStatus": "0", "UnitFileState": "",
	}
	if d := load(m.machine(), name); d != nil {
		props["LoadState"] = "loaded"
		if d.masked {
			props["LoadState"] = "masked"
		}
		props["FragmentPath"] = d.file
		props["UnitFileState"] = Enabled(m.machine(), name)
		props["Description"] = d.value("Unit", "Description")
		for _, key := range []string{"Environment", "User", "ExecStart", "Restart"} {
			props[key] = strings.Join(d.values("Service", key), " ")
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.units[name]; u != nil {
		props["ActiveState"], props["SubState"] = u.active, u.sub
		props["NRestarts"], props["ExecMainStatus"] = fmt.Sprint(u.restarts), fmt.Sprint(u.exit)
		if u.result != "" {
			props["Result"] = u.result
		}
		if u.main != nil {
			props["MainPID"] = fmt.Sprint(u.main.PID)
		}
	}
	return props
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
	if c.verb != "list-units" {
		return 0
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

func (c *control) resetFailed() {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	for n, u := range c.m.units {
		if u.active == "failed" && (len(c.names) == 0 || slices.Contains(c.names, n)) {
			u.active, u.sub, u.restarts = "inactive", "dead", 0
		}
	}
}

func (c *control) kill() int {
	sig, ok := guest.ParseSignal(c.o.Or("s", "TERM"))
	if !ok {
		c.p.Errorf("Failed to parse signal string %s.", c.o.Value("s"))
		return 1
	}
	for _, n := range c.names {
		main := c.m.MainPID(n)
		if main == nil {
			c.p.Errorf("Failed to kill unit %s: Unit %s not loaded.", n, n)
			return 1
		}
		main.Signal(sig)
	}
	return 0
}
