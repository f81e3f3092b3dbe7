package systemd

import (
	"slices"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// Boot starts what is enabled, in the order that units ask for.
func Boot(k *guest.Kernel) {
	m := Of(k)
	var names []string
	for _, dir := range wantsDirs(k.Machine) {
		entries, err := k.Machine.FS.ReadDir(vfs.Root(), dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !slices.Contains(names, e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	for _, name := range ordered(k.Machine, names) {
		m.Start(k.Context(), name) //nolint:errcheck // recorded in the unit
	}
}

// ordered puts units behind those that they name in After.
func ordered(m *guest.Machine, names []string) []string {
	slices.Sort(names)
	var out []string
	done := map[string]bool{}
	var visit func(name string, depth int)
	visit = func(name string, depth int) {
		if done[name] || depth > 50 {
			return
		}
		done[name] = true
		if d := load(m, name); d != nil {
			for _, after := range slices.Concat(d.words("Unit", "After"), d.words("Unit", "Requires")) {
				if slices.Contains(names, after) {
					visit(after, depth+1)
				}
			}
		}
		out = append(out, name)
	}
	for _, n := range names {
		visit(n, 0)
	}
	return out
}
