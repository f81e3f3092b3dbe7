package systemd

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// lines are the last lines of a unit's journal, as journalctl shows them.
func (m *Manager) lines(unit string, n int) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.journal[unit]
	if unit == "" {
		for _, u := range slices.Sorted(maps.Keys(m.journal)) {
			list = append(list, m.journal[u]...)
		}
		slices.SortStableFunc(list, func(a, b entry) int { return a.when.Compare(b.when) })
	}
	if n >= 0 && len(list) > n {
		list = list[len(list)-n:]
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = fmt.Sprintf("%s %s %s: %s", guest.FormatTime("%b %d %H:%M:%S", e.when.Unix(), 0), m.machine().Name, e.who, e.text)
	}
	return out
}

func journalctl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,unit: n,lines: no-pager b,boot? f,follow e,pager-end x,catalog since,S: until,U: o,output: q,quiet k,dmesg r,reverse "+
		"p,priority: vacuum-time: vacuum-size: rotate flush g,grep: t,identifier: a,all no-hostname", option.GNU)
	if !ok {
		return 1
	}
	m := Of(p.Kernel)
	n := -1
	if o.Has("n") {
		n, _ = strconv.Atoi(o.Value("n"))
	}
	units := o.Values("u")
	if len(units) == 0 {
		units = []string{""}
	}
	shown := 0
	for _, u := range units {
		if u != "" {
			u = full(u)
		}
		for _, line := range m.lines(u, n) {
			if o.Value("o") == "cat" {
				_, line, _ = strings.Cut(line, ": ")
			}
			p.Print(line + "\n")
			shown++
		}
	}
	if shown == 0 && !o.Has("q") {
		p.Print("-- No entries --\n")
	}
	if o.Has("f") {
		<-ctx.Done()
	}
	return 0
}

func systemdCat(_ context.Context, p *guest.Process) int {
	text, err := io.ReadAll(p.Stdin())
	if err != nil {
		return 1
	}
	for line := range strings.Lines(string(text)) {
		Of(p.Kernel).Log("", "cat", strings.TrimSpace(line))
	}
	return 0
}

func hostnamectl(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "static transient pretty no-ask-password", option.GNU)
	if !ok {
		return 1
	}
	args := o.Args
	if len(args) > 0 && (args[0] == "set-hostname" || args[0] == "hostname" && len(args) > 1) {
		if len(args) != 2 {
			p.Errorf("Invalid number of arguments.")
			return 1
		}
		if p.Cred.UID != 0 {
			p.Errorf("Could not set static hostname: Interactive authentication required.")
			return 1
		}
		if err := p.FS().WriteFile(p.Cred, "/etc/hostname", args[1]+"\n", 0o644); err != nil {
			p.Errorf("Could not set static hostname: %s", guest.Reason(err))
			return 1
		}
		p.Kernel.SetHostname(args[1])
		return 0
	}
	switch {
	case len(args) > 0 && args[0] == "hostname", o.Has("static"):
		p.Print(p.Machine().Hostname() + "\n")
	case len(args) == 0 || args[0] == "status":
		p.Printf(" Static hostname: %s\n         Chassis: vm (simulated by podium)\n", p.Machine().Hostname())
	default:
		p.Errorf("Unknown command verb '%s' (or one the simulator's model does not have).", args[0])
		return 1
	}
	return 0
}

func timedatectl(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "property,p: value all,a no-pager", option.GNU)
	if !ok {
		return 1
	}
	synced := map[bool]string{true: "yes", false: "no"}[Of(p.Kernel).IsActive("systemd-timesyncd") || Of(p.Kernel).IsActive("chrony")]
	zone, _ := p.FS().ReadFile(vfs.Root(), "/etc/timezone")
	zone = strings.TrimSpace(zone)
	props := map[string]string{"Timezone": zone, "NTP": synced, "NTPSynchronized": synced, "CanNTP": "yes", "LocalRTC": "no"}
	args := append(o.Args, "status")
	switch args[0] {
	case "show":
		keys := o.Values("property")
		if len(keys) == 0 {
			keys = slices.Sorted(maps.Keys(props))
		}
		for _, k := range keys {
			if o.Has("value") {
				p.Print(props[k] + "\n")
			} else {
				p.Printf("%s=%s\n", k, props[k])
			}
		}
	case "set-timezone":
		if len(o.Args) != 2 {
			p.Errorf("Too few arguments.")
			return 1
		}
		if err := p.FS().WriteFile(p.Cred, "/etc/timezone", o.Args[1]+"\n", 0o644); err != nil {
			p.Errorf("Failed to set time zone: %s", guest.Reason(err))
			return 1
		}
	case "set-ntp":
	case "set-time":
		t, err := time.Parse("2006-01-02 15:04:05", strings.Join(o.Args[1:], " "))
		if err != nil || p.Cred.UID != 0 {
			p.Errorf("Failed to set time: %s", strings.Join(o.Args[1:], " "))
			return 1
		}
		p.Kernel.SetClock(t)
	case "status":
		p.Printf("      Local time: %s\n       Time zone: %s\nSystem clock synchronized: %s\n     NTP service: active (simulated)\n",
			guest.FormatTime("%a %F %T UTC", p.Kernel.Clock().Unix(), 0), zone, synced)
	default:
		p.Errorf("Unknown command verb '%s' (or one the simulator's model does not have).", args[0])
		return 1
	}
	return 0
}

func chronyc(_ context.Context, p *guest.Process) int {
	if !Of(p.Kernel).IsActive("chrony") {
		p.Errorf("506 Cannot talk to daemon")
		return 1
	}
	if len(p.Args) > 1 && p.Args[1] == "makestep" {
		p.Kernel.SetClock(p.Machine().Now())
	}
	p.Print("200 OK\n")
	return 0
}

func resolvectl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "no-pager 4 6 legend? i,interface:", option.GNU)
	if !ok {
		return 1
	}
	args := append(o.Args, "status")
	switch args[0] {
	case "query":
		for _, name := range o.Args[1:] {
			address, ok := p.Machine().Resolve(ctx, name)
			if !ok {
				p.Errorf("%s: resolve call failed: '%s' not found", name, name)
				return 1
			}
			p.Printf("%s: %s\n", name, address)
		}
	case "status", "dns", "flush-caches", "domain":
		p.Print("Global\n  DNS Servers: 10.0.2.3\n")
	default:
		p.Errorf("Unknown command verb '%s' (or one the simulator's model does not have).", args[0])
		return 1
	}
	return 0
}

// detectVirt says what kind of machine this is: a virtual one, not a container.
func detectVirt(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet c,container v,vm", option.GNU)
	if !ok {
		return 1
	}
	kind, code := "podium-simulator", 0
	if o.Has("c") {
		kind, code = "none", 1
	}
	if !o.Has("q") {
		p.Print(kind + "\n")
	}
	return code
}

// power is reboot, poweroff, halt and shutdown.
func power(_ context.Context, p *guest.Process) int {
	if p.Cred.UID != 0 {
		p.Errorf("Call to %s failed: Interactive authentication required.", p.Exe)
		return 1
	}
	reboot := p.Exe == "reboot"
	for _, a := range p.Args[1:] {
		if a == "-r" && p.Exe == "shutdown" {
			reboot = true
		}
		if a == "-c" && p.Exe == "shutdown" {
			return 0
		}
	}
	p.Kernel.PowerOff(reboot)
	return 0
}

func cloudInit(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "w,wait l,long format:", option.GNU)
	if !ok {
		return 1
	}
	if len(o.Args) == 0 || o.Args[0] != "status" {
		return p.Fail(1, "the simulator's model has only: cloud-init status")
	}
	p.Print("status: done\n")
	return 0
}

// service is the old way to call systemctl.
func service(ctx context.Context, p *guest.Process) int {
	if len(p.Args) != 3 {
		return p.Fail(1, "usage: service NAME ACTION")
	}
	p.Args = []string{"systemctl", p.Args[2], p.Args[1]}
	return systemctl(ctx, p)
}
