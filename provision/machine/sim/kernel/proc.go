package kernel

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// Mount gives a machine's filesystem its /proc and /sys.
func Mount(m *guest.Machine) {
	m.FS.SetVirtual("proc", proc{m})
	m.FS.SetVirtual("sys", sys{m})
}

func file(text string) (vfs.VirtualFile, bool) {
	return vfs.VirtualFile{Mode: 0o444, Read: func() string { return text }}, true
}

func dir(names ...string) (vfs.VirtualFile, bool) {
	return vfs.VirtualFile{Mode: fs.ModeDir | 0o555, Names: func() []string { return names }}, true
}

type proc struct{ m *guest.Machine }

// Lookup makes a file of /proc.
func (f proc) Lookup(name string) (vfs.VirtualFile, bool) {
	m := f.m
	k := m.Kernel()
	if k == nil {
		return vfs.VirtualFile{}, name == "."
	}
	first, rest, _ := strings.Cut(name, "/")
	switch name {
	case ".":
		names := strings.Fields("cmdline cpuinfo filesystems loadavg meminfo modules mounts partitions self stat swaps sys uptime version")
		for _, p := range k.Processes() {
			names = append(names, strconv.Itoa(p.PID))
		}
		return dir(names...)
	case "cmdline":
		return file("BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro simulated\n")
	case "cpuinfo":
		var b strings.Builder
		for i := range m.Hardware.CPUs {
			fmt.Fprintf(&b, "processor\t: %d\nmodel name\t: simulated by podium\nflags\t\t: fpu\n\n", i)
		}
		return file(b.String())
	case "filesystems":
		text := "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\n\text4\n"
		if k.HasModule("overlay") {
			text += "nodev\toverlay\n"
		}
		return file(text)
	case "loadavg":
		return file("0.00 0.00 0.00 1/100 1000\n")
	case "meminfo":
		kb, swap := m.Hardware.Memory>>10, k.SwapTotal()>>10
		return file(fmt.Sprintf("MemTotal:       %d kB\nMemFree:        %d kB\nMemAvailable:   %d kB\nSwapTotal:      %d kB\nSwapFree:       %d kB\n",
			kb, kb*3/4, kb*7/8, swap, swap))
	case "modules":
		names := k.Modules()
		slices.Sort(names)
		var b strings.Builder
		for _, n := range names {
			fmt.Fprintf(&b, "%s 16384 0 - Live 0x0000000000000000\n", n)
		}
		return file(b.String())
	case "mounts", "self/mounts":
		return file(mounts())
	case "partitions":
		return file("major minor  #blocks  name\n\n   8        0   67108864 sda\n   8        1   67107840 sda1\n")
	case "stat":
		return file(fmt.Sprintf("cpu  0 0 0 0 0 0 0 0 0 0\nbtime %d\n", k.Booted.Unix()))
	case "swaps":
		text := "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		for _, s := range k.Swaps() {
			text += fmt.Sprintf("%-39s file\t\t%d\t\t0\t\t-2\n", s.Path, s.Size>>10)
		}
		return file(text)
	case "uptime":
		return file(fmt.Sprintf("%.2f 0.00\n", m.Now().Sub(k.Booted).Seconds()))
	case "version":
		return file("Linux version " + m.KernelRelease() + " (simulated by podium)\n")
	case "self":
		return dir("fd", "mounts", "oom_score_adj")
	case "self/oom_score_adj":
		return vfs.VirtualFile{Mode: 0o644, Read: func() string { return "0\n" }, Write: func(string) bool { return true }}, true
	case "1/comm":
		return file("systemd\n")
	case "1":
		return dir("comm")
	}
	switch {
	case first == "sys":
		return sysctlFile(k, rest)
	case isNumber(first):
		n, _ := strconv.Atoi(first)
		p := k.Process(n)
		if p == nil {
			return vfs.VirtualFile{}, false
		}
		seen := p.Shown()
		switch rest {
		case "":
			return dir("cmdline", "comm", "status")
		case "cmdline":
			return file(strings.Join(seen.Args, "\x00") + "\x00")
		case "comm":
			return file(path.Base(seen.Args[0]) + "\n")
		case "status":
			return file(fmt.Sprintf("Name:\t%s\nPid:\t%d\nPPid:\t%d\n", path.Base(seen.Args[0]), p.PID, p.PPID))
		}
	}
	return vfs.VirtualFile{}, false
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// sysctlFile makes a file or directory of /proc/sys.
func sysctlFile(k *guest.Kernel, rest string) (vfs.VirtualFile, bool) {
	name := strings.ReplaceAll(rest, "/", ".")
	if v, ok := k.Sysctl(name); ok {
		switch name {
		case "kernel.hostname":
			v = k.Machine.Hostname()
		case "kernel.osrelease":
			v = k.Machine.KernelRelease()
		case "kernel.random.boot_id":
			v = k.BootID
		}
		return vfs.VirtualFile{
			Mode: 0o644, Read: func() string { return v + "\n" },
			Write: func(text string) bool { return k.SetSysctl(name, strings.TrimSpace(text)) },
		}, true
	}
	prefix := name + "."
	if rest == "" {
		prefix = ""
	}
	found := map[string]bool{}
	for _, n := range k.SysctlNames() {
		if below, ok := strings.CutPrefix(n, prefix); ok {
			first, _, _ := strings.Cut(below, ".")
			found[first] = true
		}
	}
	if len(found) == 0 {
		return vfs.VirtualFile{}, false
	}
	var names []string
	for n := range found {
		names = append(names, n)
	}
	slices.Sort(names)
	return dir(names...)
}

type sys struct{ m *guest.Machine }

// Lookup makes a file of /sys.
func (f sys) Lookup(name string) (vfs.VirtualFile, bool) {
	k := f.m.Kernel()
	if k == nil {
		return vfs.VirtualFile{}, name == "."
	}
	switch name {
	case ".":
		return dir("block", "class", "fs", "kernel", "module")
	case "block", "kernel", "fs", "class":
		return dir(map[string][]string{"fs": {"cgroup"}, "class": {"net", "dmi"}}[name]...)
	case "class/net":
		return dir("lo", "eth0", "eth1")
	case "class/dmi":
		return dir("id")
	case "class/dmi/id":
		return dir("product_name", "sys_vendor", "product_uuid")
	case "class/dmi/id/product_name", "class/dmi/id/sys_vendor":
		return file("podium simulator\n")
	case "class/dmi/id/product_uuid":
		return file(strings.TrimSpace(f.m.Name) + "-simulated\n")
	case "class/net/eth0", "class/net/eth1", "class/net/lo":
		return dir("address", "operstate")
	case "class/net/eth0/operstate", "class/net/eth1/operstate":
		return file("up\n")
	case "class/net/eth0/address":
		return file("08:00:27:00:00:01\n")
	case "class/net/eth1/address":
		return file(MAC(f.m) + "\n")
	case "fs/cgroup":
		return dir("cgroup.controllers")
	case "fs/cgroup/cgroup.controllers":
		return file("cpuset cpu io memory hugetlb pids rdma misc\n")
	case "module":
		names := k.Modules()
		slices.Sort(names)
		return dir(names...)
	}
	if module, ok := strings.CutPrefix(name, "module/"); ok && k.HasModule(module) {
		return dir()
	}
	return vfs.VirtualFile{}, false
}

// MAC is the address of the private card.
func MAC(m *guest.Machine) string {
	var a, b, c, d int
	fmt.Sscanf(m.Hardware.Address, "%d.%d.%d.%d", &a, &b, &c, &d)
	return fmt.Sprintf("08:00:27:%02x:%02x:%02x", b, c, d)
}
