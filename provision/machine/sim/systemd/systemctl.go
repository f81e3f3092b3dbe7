package systemd

import (
	"context"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
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
