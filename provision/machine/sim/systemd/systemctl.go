package systemd

import (
	"context"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"systemctl": systemctl, "journalctl": journalctl,
		"systemd-detect-virt": detectVirt,
		"reboot":              power, "poweroff": power,
	}
}

func systemctl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet no-pager l,full no-block now type,t: all,a plain no-legend state: property,p: value "+
		"failed s,signal:", option.GNU)
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
	case "start", "stop", "restart", "enable", "disable", "mask", "daemon-reload", "daemon-reexec", "poweroff", "reboot":
		if c.p.Cred.UID != 0 {
			c.p.Errorf("Failed to %s %s: Interactive authentication required.", c.verb, strings.Join(c.o.Args[1:], " "))
			return 1
		}
	}
	switch c.verb {
	case "start", "stop", "restart", "enable", "disable", "mask", "cat":
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
	case "enable":
		return c.enable()
	case "disable":
		return c.disable()
	case "mask":
		return c.mask()
	case "daemon-reload", "daemon-reexec":
		c.m.Reload()
		return 0
	case "is-active":
		return c.isActive()
	case "is-enabled":
		return c.isEnabled()
	case "status":
		return c.status()
	case "cat":
		return c.cat()
	case "list-units", "list-unit-files":
		return c.list()
	case "poweroff", "reboot":
		c.p.Kernel.PowerOff(c.verb == "reboot")
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
