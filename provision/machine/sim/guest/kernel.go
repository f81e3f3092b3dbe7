package guest

import (
	"context"
	"strings"
	"time"

	"podium/provision/machine/sim/vfs"
)

// settings are what a boot knows and a reboot forgets, unless a file brings it back.
type settings struct {
	hostname string
	modules  map[string]bool
	sysctl   map[string]string
	swap     []Swap
}

// Swap is an active swap area.
type Swap struct {
	Path string
	Size int64 // bytes
}

type settingsKey struct{}

func (k *Kernel) settings() *settings {
	return Value(k, settingsKey{}, func() *settings {
		return &settings{modules: map[string]bool{}, sysctl: map[string]string{}}
	})
}

// change changes the settings under the kernel's lock.
func (k *Kernel) change(do func(*settings)) {
	s := k.settings()
	k.mu.Lock()
	defer k.mu.Unlock()
	do(s)
}

// Hostname is the name the kernel knows; it comes from /etc/hostname at boot.
func (m *Machine) Hostname() string {
	if k := m.Kernel(); k != nil {
		name := ""
		k.change(func(s *settings) { name = s.hostname })
		if name != "" {
			return name
		}
	}
	text, err := m.FS.ReadFile(vfs.Root(), "/etc/hostname")
	if name := strings.TrimSpace(text); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// SetHostname changes the name until the next boot.
func (k *Kernel) SetHostname(name string) { k.change(func(s *settings) { s.hostname = name }) }

// KernelRelease is what uname -r prints.
func (m *Machine) KernelRelease() string {
	text, err := m.FS.ReadFile(vfs.Root(), "/boot/release")
	if err != nil {
		return "6.8.0-79-generic"
	}
	return strings.TrimSpace(text)
}

// Clock is the machine's own time.
func (k *Kernel) Clock() time.Time { return k.Machine.Time() }

// SetClock sets the machine's own time, until the next boot.
func (k *Kernel) SetClock(t time.Time) { k.Machine.ahead.Store(int64(t.Sub(k.Machine.Now()))) }

// Time is the machine's own time, which time stamps have.
func (m *Machine) Time() time.Time { return m.Now().Add(time.Duration(m.ahead.Load())) }

// Modules lists the loaded modules.
func (k *Kernel) Modules() []string {
	var list []string
	k.change(func(s *settings) {
		for name := range s.modules {
			list = append(list, name)
		}
	})
	return list
}

// HasModule reports whether a module is loaded.
func (k *Kernel) HasModule(name string) bool {
	ok := false
	k.change(func(s *settings) { ok = s.modules[strings.ReplaceAll(name, "-", "_")] })
	return ok
}

// SetModule loads or removes a module.
func (k *Kernel) SetModule(name string, loaded bool) {
	k.change(func(s *settings) {
		name = strings.ReplaceAll(name, "-", "_")
		if loaded {
			s.modules[name] = true
		} else {
			delete(s.modules, name)
		}
	})
}

// Sysctl returns a kernel setting by its name with dots; false if the kernel has none of that name now.
func (k *Kernel) Sysctl(name string) (string, bool) {
	def, ok := defaultSysctl(name)
	switch {
	case !ok,
		strings.HasPrefix(name, "net.bridge.") && !k.HasModule("br_netfilter"),
		strings.HasPrefix(name, "net.netfilter.nf_conntrack") && !k.HasModule("nf_conntrack"):
		return "", false
	}
	k.change(func(s *settings) {
		if v, set := s.sysctl[name]; set {
			def = v
		}
	})
	return def, true
}

// SetSysctl changes a kernel setting; false if there is none of that name.
func (k *Kernel) SetSysctl(name, value string) bool {
	if _, ok := k.Sysctl(name); !ok {
		return false
	}
	k.change(func(s *settings) { s.sysctl[name] = value })
	return true
}

// SysctlNames lists the settings of the kernel.
func (k *Kernel) SysctlNames() []string {
	var names []string
	for name := range sysctls() {
		if _, ok := k.Sysctl(name); ok {
			names = append(names, name)
		}
	}
	return names
}

func defaultSysctl(name string) (string, bool) {
	v, ok := sysctls()[name]
	return v, ok
}

func sysctls() map[string]string {
	return map[string]string{ // name, value at boot
		"net.ipv4.ip_forward": "0", "net.ipv4.conf.all.forwarding": "0", "net.ipv6.conf.all.forwarding": "0",
		"net.ipv4.conf.all.rp_filter": "2", "net.ipv4.conf.default.rp_filter": "2", "net.ipv4.ip_local_port_range": "32768\t60999",
		"net.bridge.bridge-nf-call-iptables": "0", "net.bridge.bridge-nf-call-ip6tables": "0", "net.bridge.bridge-nf-call-arptables": "0",
		"net.ipv6.conf.all.disable_ipv6": "0", "net.ipv6.conf.default.disable_ipv6": "0", "net.core.somaxconn": "4096",
		"net.netfilter.nf_conntrack_max": "262144", "net.ipv4.ip_nonlocal_bind": "0",
		"vm.swappiness": "60", "vm.overcommit_memory": "0", "vm.panic_on_oom": "0", "vm.max_map_count": "65530",
		"kernel.panic": "0", "kernel.panic_on_oops": "0", "kernel.pid_max": "4194304", "kernel.keys.root_maxkeys": "1000000",
		"fs.file-max": "9223372036854775807", "fs.inotify.max_user_watches": "65536", "fs.inotify.max_user_instances": "128",
		"kernel.hostname": "", "kernel.osrelease": "", "kernel.random.boot_id": "",
	}
}

// Swaps lists the active swap areas.
func (k *Kernel) Swaps() []Swap {
	var list []Swap
	k.change(func(s *settings) { list = append(list, s.swap...) })
	return list
}

// SwapTotal is the active swap in bytes.
func (k *Kernel) SwapTotal() int64 {
	var n int64
	for _, s := range k.Swaps() {
		n += s.Size
	}
	return n
}

// SetSwaps replaces the active swap areas.
func (k *Kernel) SetSwaps(list []Swap) { k.change(func(s *settings) { s.swap = list }) }

// Resolve finds the address of a name: an address itself, /etc/hosts, or the resolver when the machine is online.
func (m *Machine) Resolve(ctx context.Context, name string) (string, bool) {
	if strings.Trim(name, "0123456789.") == "" && strings.Count(name, ".") == 3 || strings.Contains(name, ":") {
		return name, true
	}
	text, _ := m.FS.ReadFile(vfs.Root(), "/etc/hosts")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		for i := 1; i < len(f); i++ {
			if f[i] == name {
				return f[0], true
			}
		}
	}
	if name == m.Hostname() {
		return "127.0.1.1", true
	}
	if m.Net == nil || m.Faults != nil && m.Faults.Offline(m) {
		return "", false
	}
	return m.Net.Lookup(ctx, name)
}
