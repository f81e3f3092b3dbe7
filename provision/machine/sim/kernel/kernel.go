// Package kernel models what belongs to a node's Linux kernel: modules, settings, swap, /proc and /sys. All of it is
// forgotten at a reboot, unless a file brings it back: /etc/modules-load.d, /etc/sysctl.d, /etc/fstab.
package kernel

import (
	"context"
	"path"
	"slices"
	"sort"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"modprobe": modprobe, "lsmod": lsmod,
		"sysctl": sysctl, "swapon": swapon, "swapoff": swapoff,
	}
}

// Boot loads modules, applies settings and turns swap on, as systemd does early in the boot.
func Boot(k *guest.Kernel) {
	for _, line := range settings(k.Machine, "/etc/modules-load.d", "/usr/lib/modules-load.d", "/run/modules-load.d") {
		if exists(line) {
			load(k, line)
		}
	}
	for _, file := range sysctlFiles(k.Machine) {
		apply(k, file, nil)
	}
	var swaps []guest.Swap
	for _, s := range fstabSwaps(k.Machine) {
		if !masked(k.Machine, UnitOf(s.Path)) {
			swaps = append(swaps, s)
		}
	}
	k.SetSwaps(swaps)
}

// settings are the lines of all *.conf files of directories, where a file of an earlier directory hides one of the
// same name in a later one.
func settings(m *guest.Machine, dirs ...string) []string {
	var lines []string
	for _, file := range confFiles(m, dirs...) {
		text, err := m.FS.ReadFile(vfs.Root(), file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line != "" && line[0] != '#' && line[0] != ';' {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func confFiles(m *guest.Machine, dirs ...string) []string {
	found := map[string]string{}
	for _, dir := range dirs {
		entries, err := m.FS.ReadDir(vfs.Root(), dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if _, hidden := found[e.Name()]; !hidden && strings.HasSuffix(e.Name(), ".conf") {
				found[e.Name()] = dir + "/" + e.Name()
			}
		}
	}
	var files []string
	for _, f := range found {
		files = append(files, f)
	}
	sort.Slice(files, func(i, j int) bool { return path.Base(files[i]) < path.Base(files[j]) })
	return files
}

// requires are the modules that come with another.
func requires(module string) []string {
	switch module {
	case "br_netfilter":
		return []string{"bridge", "stp", "llc"}
	case "bridge":
		return []string{"stp", "llc"}
	case "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh":
		return []string{"ip_vs", "nf_conntrack"}
	case "nf_conntrack":
		return []string{"nf_defrag_ipv4"}
	case "nf_nat", "iptable_nat", "ip_tables", "xt_conntrack", "xt_MASQUERADE":
		return []string{"nf_conntrack", "ip_tables"}
	}
	return nil
}

// exists reports whether the kernel has a module of that name.
func exists(module string) bool {
	return slices.Contains(strings.Fields("overlay br_netfilter bridge stp llc ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh nf_conntrack nf_defrag_ipv4 "+
		"nf_nat iptable_nat ip_tables ip6_tables xt_conntrack xt_MASQUERADE vxlan veth dummy tun loop nfs nfsd rbd ceph iscsi_tcp vboxguest wireguard "+
		"8021q bonding zfs btrfs xfs dm_mod dm_thin_pool fuse macvlan ipvlan kvm nbd"), strings.ReplaceAll(module, "-", "_"))
}

func load(k *guest.Kernel, module string) {
	for _, other := range requires(module) {
		k.SetModule(other, true)
	}
	k.SetModule(module, true)
}

func modprobe(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,all r,remove q,quiet v,verbose n,dry-run,show f,force first-time", option.GNU)
	if !ok {
		return 1
	}
	if len(o.Args) == 0 {
		return p.Fail(1, "ERROR: missing parameters. See -h.")
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "ERROR: could not insert '%s': Operation not permitted", o.Args[0])
	}
	names := o.Args
	if !o.Has("a") {
		names = names[:1] // what follows are the module's parameters
	}
	for _, name := range names {
		name = strings.TrimSuffix(path.Base(name), ".ko")
		if !exists(name) {
			return p.Fail(1, "FATAL: Module %s not found in directory /lib/modules/%s", name, p.Machine().KernelRelease())
		}
		switch {
		case o.Has("n"):
		case o.Has("r"):
			p.Kernel.SetModule(name, false)
		default:
			load(p.Kernel, name)
		}
	}
	return 0
}

func lsmod(_ context.Context, p *guest.Process) int {
	p.Print("Module                  Size  Used by\n")
	names := p.Kernel.Modules()
	slices.Sort(names)
	for _, name := range names {
		p.Printf("%-23s %5d  0\n", name, 16384)
	}
	return 0
}

// UnitOf is the swap unit that systemd makes for a path.
func UnitOf(file string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(file, "/"), "-", `\x2d`), "/", "-") + ".swap"
}

func masked(m *guest.Machine, unit string) bool {
	to, err := m.FS.Readlink(vfs.Root(), "/etc/systemd/system/"+unit)
	return err == nil && to == "/dev/null"
}

// fstabSwaps are the swap areas that /etc/fstab names.
func fstabSwaps(m *guest.Machine) []guest.Swap {
	text, err := m.FS.ReadFile(vfs.Root(), "/etc/fstab")
	if err != nil {
		return nil
	}
	var swaps []guest.Swap
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || strings.HasPrefix(f[0], "#") || f[2] != "swap" || strings.Contains(f[3], "noauto") {
			continue
		}
		if info, err := m.FS.Stat(vfs.Root(), f[0]); err == nil {
			swaps = append(swaps, guest.Swap{Path: f[0], Size: info.Size()})
		}
	}
	return swaps
}

// SwapUnits are the swap units that systemd knows: those of /etc/fstab and those of active areas.
func SwapUnits(k *guest.Kernel) map[string]bool {
	units := map[string]bool{}
	for _, s := range fstabSwaps(k.Machine) {
		units[UnitOf(s.Path)] = false
	}
	for _, s := range k.Swaps() {
		units[UnitOf(s.Path)] = true
	}
	return units
}

func swapon(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,all s,summary show? noheadings p,priority:", option.GNU)
	if !ok {
		return 1
	}
	active := p.Kernel.Swaps()
	if o.Has("show") || o.Has("s") || len(o.Args) == 0 && !o.Has("a") {
		if len(active) > 0 && !o.Has("noheadings") {
			p.Print("NAME      TYPE SIZE USED PRIO\n")
		}
		for _, s := range active {
			p.Printf("%-9s file %dM   0B   -2\n", s.Path, s.Size>>20)
		}
		return 0
	}
	if p.Cred.UID != 0 {
		return p.Fail(255, "cannot open: Permission denied")
	}
	add := fstabSwaps(p.Machine())
	if !o.Has("a") {
		add = nil
		for _, name := range o.Args {
			info, err := p.FS().Stat(p.Cred, p.Path(name))
			if err != nil {
				return p.Fail(255, "cannot open %s: %s", name, guest.Reason(err))
			}
			add = append(add, guest.Swap{Path: name, Size: info.Size()})
		}
	}
	for _, s := range add {
		if !slices.ContainsFunc(active, func(a guest.Swap) bool { return a.Path == s.Path }) {
			active = append(active, s)
		} else if !o.Has("a") {
			return p.Fail(255, "%s: swapon failed: Device or resource busy", s.Path)
		}
	}
	p.Kernel.SetSwaps(active)
	return 0
}

func swapoff(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,all", option.GNU)
	if !ok {
		return 1
	}
	if p.Cred.UID != 0 {
		return p.Fail(255, "Not superuser.")
	}
	if o.Has("a") {
		p.Kernel.SetSwaps(nil)
		return 0
	}
	active := p.Kernel.Swaps()
	for _, name := range o.Args {
		i := slices.IndexFunc(active, func(s guest.Swap) bool { return s.Path == name })
		if i < 0 {
			return p.Fail(255, "%s: swapoff failed: Invalid argument", name)
		}
		active = slices.Delete(active, i, i+1)
	}
	p.Kernel.SetSwaps(active)
	return 0
}

func mounts() string {
	return "/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\nsysfs /sys sysfs rw 0 0\ntmpfs /run tmpfs rw 0 0\n" +
		"cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n"
}
