package kernel

import (
	"context"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

func sysctlFiles(m *guest.Machine) []string {
	files := confFiles(m, "/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
	if _, err := m.FS.Stat(vfs.Root(), "/etc/sysctl.conf"); err == nil {
		files = append(files, "/etc/sysctl.conf")
	}
	return files
}

// dotted is a setting's name with dots.
func dotted(name string) string {
	name = strings.TrimSpace(name)
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '/' {
		return strings.ReplaceAll(name, "/", ".")
	}
	return name
}

// apply sets what a file says. p gets the messages; nil at boot. It reports whether all could be set.
func apply(k *guest.Kernel, file string, p *guest.Process) bool {
	text, err := k.Machine.FS.ReadFile(vfs.Root(), file)
	if err != nil {
		if p != nil {
			p.Errorf("sysctl: cannot open \"%s\": %s", file, guest.Reason(err))
		}
		return false
	}
	good := true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		ignore := strings.HasPrefix(name, "-")
		name = dotted(strings.TrimPrefix(name, "-"))
		if !ok {
			if p != nil {
				p.Errorf("sysctl: %s: invalid syntax, continuing...", file)
			}
			good = false
			continue
		}
		if !k.SetSysctl(name, strings.TrimSpace(value)) && !ignore {
			if p != nil {
				p.Errorf("sysctl: cannot stat /proc/sys/%s: No such file or directory", strings.ReplaceAll(name, ".", "/"))
			}
			good = false
		}
	}
	return good
}

func sysctl(_ context.Context, p *guest.Process) int {
	args := p.Args
	for i, a := range args { // "-p FILE" takes its file optionally
		if a == "-p" && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			p.Args = append(append(append([]string{}, args[:i]...), "--load="+args[i+1]), args[i+2:]...)
			break
		}
	}
	o, ok := option.Parse(p, "w,write n,values q,quiet a,all system p,load? e,ignore", option.GNU)
	if !ok {
		return 1
	}
	code := 0
	set := func(file string) {
		if !o.Has("q") && o.Has("system") {
			p.Printf("* Applying %s ...\n", file)
		}
		if !apply(p.Kernel, file, p) && !o.Has("e") {
			code = 1
		}
	}
	switch {
	case o.Has("system"):
		if p.Cred.UID != 0 {
			return p.Fail(1, "permission denied")
		}
		for _, file := range sysctlFiles(p.Machine()) {
			set(file)
		}
		return 0 // failures are reported, but do not count with --system
	case o.Has("p"):
		if p.Cred.UID != 0 {
			return p.Fail(1, "permission denied")
		}
		file := o.Value("p")
		if file == "" {
			file = "/etc/sysctl.conf"
		}
		set(file)
		return code
	case o.Has("a"):
		names := p.Kernel.SysctlNames()
		slices.Sort(names)
		for _, name := range names {
			v, _ := p.Kernel.Sysctl(name)
			p.Printf("%s = %s\n", name, v)
		}
		return 0
	}
	for _, arg := range o.Args {
		name, value, assign := strings.Cut(arg, "=")
		name = dotted(name)
		if _, there := p.Kernel.Sysctl(name); !there {
			if !o.Has("e") {
				p.Errorf("sysctl: cannot stat /proc/sys/%s: No such file or directory", strings.ReplaceAll(name, ".", "/"))
				code = 1
			}
			continue
		}
		if assign {
			if p.Cred.UID != 0 {
				p.Errorf("sysctl: permission denied on key \"%s\"", name)
				code = 1
				continue
			}
			p.Kernel.SetSysctl(name, strings.TrimSpace(value))
			if o.Has("q") {
				continue
			}
		}
		v, _ := p.Kernel.Sysctl(name)
		if o.Has("n") {
			p.Print(v + "\n")
		} else {
			p.Printf("%s = %s\n", name, v)
		}
	}
	return code
}
