package systemd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
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
	o, ok := option.Parse(p, "u,unit: n,lines: no-pager o,output: q,quiet "+
		"", option.GNU)
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
	return 0
}

// detectVirt says what kind of machine this is: a virtual one, not a container.
func detectVirt(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet c,container", option.GNU)
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
