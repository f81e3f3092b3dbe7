package templates

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
)

// Vagrantfile is what a Vagrantfile says; Render turns it into Ruby.
type Vagrantfile struct {
	Lab         string
	Provider    string // virtualbox or libvirt; only its block is written
	Box         string
	BoxVersion  string // empty: the newest
	User        string
	Network     netip.Prefix
	BootTimeout time.Duration // until SSH answers
	// Promiscuous lets the private card take frames for addresses that are not its own, as MetalLB's and virtual
	// addresses need it.
	Promiscuous bool
	Nodes       []VagrantNode
}

// VagrantNode is one machine of a Vagrantfile.
type VagrantNode struct {
	Name          string
	Address       netip.Addr // in Network
	CPUs          int
	MemoryMiB     int
	DiskMiB       int // root disk; 0: as large as the box makes it
	ExtraDisksMiB []int
	SSHPort       int // port on 127.0.0.1 that leads to the machine's sshd; VirtualBox only
	Forwards      []Forward
}

// Forward is a port of 127.0.0.1 that leads to a port of a machine.
type Forward struct {
	Host  int
	Guest int
}

// Render gives the Vagrantfile as Ruby. Every value is quoted, so that none can become Ruby; what Vagrant itself would accept and
// only fail on at boot (addresses outside the network, ports used twice) is an error here, all problems at once.
func (v Vagrantfile) Render() (string, error) {
	if err := v.check(); err != nil {
		return "", err
	}
	return render("Vagrantfile.tmpl", v, template.FuncMap{
		"ruby":      rubyString,
		"symbol":    func(name string) string { return ":" + name },
		"shellName": func(n VagrantNode) string { return strings.Map(plainRune, n.Name) },
	})
}

// ModifyVM are the options of `VBoxManage modifyvm` that give a machine what Vagrant gives it after this Vagrantfile, its
// network cards aside: sizes, forwarded ports, the customize lines, and the clock of Vagrant's own action sane_defaults.
func (v Vagrantfile) ModifyVM(n VagrantNode) []string {
	port := func(name string, host, guest int) []string {
		return []string{"--natpf1", fmt.Sprintf("%s,tcp,127.0.0.1,%d,,%d", name, host, guest)}
	}
	args := []string{"--memory", strconv.Itoa(n.MemoryMiB), "--cpus", strconv.Itoa(n.CPUs)}
	args = append(args, port("ssh", n.SSHPort, 22)...)
	for _, f := range n.Forwards {
		args = append(args, port(fmt.Sprintf("port-%d", f.Host), f.Host, f.Guest)...)
	}
	args = append(args, "--rtcuseutc", "on")
	for _, c := range v.customize() {
		args = append(args, c...)
	}
	return args
}

// customize are the template's customize lines.
func (v Vagrantfile) customize() [][]string {
	lines := [][]string{{"--groups", v.Group()}, {"--natdnsproxy1", "off", "--natdnshostresolver1", "on"}}
	if v.Promiscuous {
		lines = append(lines, []string{"--nicpromisc2", "allow-all"})
	}
	return lines
}

// check finds what `vagrant validate` misses.
func (v Vagrantfile) check() error {
	if !v.VirtualBox() && !v.Libvirt() {
		return fmt.Errorf("the Vagrantfile of lab %q: provider %q has no Vagrant block: use virtualbox or libvirt", v.Lab, v.Provider)
	}
	if len(v.Nodes) == 0 {
		return fmt.Errorf("the Vagrantfile of lab %q: no nodes", v.Lab)
	}
	var problems []error
	names, addresses, ports := map[string]bool{}, map[netip.Addr]string{}, map[int]string{}
	takePort := func(node string, port int) {
		if port < 1 || port > 65535 {
			problems = append(problems, fmt.Errorf("node %q: port %d is not between 1 and 65535", node, port))
		} else if other := ports[port]; other != "" {
			problems = append(problems, fmt.Errorf("node %q: port %d of this computer leads to %q already: choose another", node, port, other))
		}
		ports[port] = node
	}
	for _, n := range v.Nodes {
		if names[n.Name] {
			problems = append(problems, fmt.Errorf("node %q: name used twice", n.Name))
		}
		names[n.Name] = true
		switch other, used := addresses[n.Address]; {
		case !n.Address.Is4() || !v.Network.Contains(n.Address):
			problems = append(problems, fmt.Errorf("node %q: address %s is not in the lab's network %s", n.Name, n.Address, v.Network))
		case used:
			problems = append(problems, fmt.Errorf("node %q: address %s is that of %q too", n.Name, n.Address, other))
		case n.Address == v.Network.Masked().Addr().Next():
			problems = append(problems, fmt.Errorf("node %q: address %s is this computer's in that network: choose one from .2", n.Name, n.Address))
		}
		addresses[n.Address] = n.Name
		if n.CPUs < 1 || n.MemoryMiB < 4 {
			problems = append(problems, fmt.Errorf("node %q: %d cpus and %d MiB of memory are too little", n.Name, n.CPUs, n.MemoryMiB))
		}
		if v.VirtualBox() {
			takePort(n.Name, n.SSHPort)
		}
		for _, f := range n.Forwards {
			takePort(n.Name, f.Host)
			if f.Guest < 1 || f.Guest > 65535 {
				problems = append(problems, fmt.Errorf("node %q: port %d is not between 1 and 65535", n.Name, f.Guest))
			}
		}
	}
	return errors.Join(problems...)
}

// VirtualBox reports whether the VirtualBox block is written.
func (v Vagrantfile) VirtualBox() bool { return v.Provider == "virtualbox" }

// Libvirt reports whether the libvirt block is written.
func (v Vagrantfile) Libvirt() bool { return v.Provider == "libvirt" }

// NamePrefix stands before a node's name to make the machine's name at its provider.
func (v Vagrantfile) NamePrefix() string { return v.Lab + "-" }

// Group is the lab's group in VirtualBox's window.
func (v Vagrantfile) Group() string { return "/" + v.Lab }

// LibvirtNetwork is the name of the lab's private network at libvirt.
func (v Vagrantfile) LibvirtNetwork() string { return "podium-" + v.Lab }

// Netmask is the network's mask in dotted form, as Vagrant wants it.
func (v Vagrantfile) Netmask() string {
	mask := ^uint32(0) << (32 - v.Network.Bits())
	return netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String()
}

// Guest is Vagrant's name of the guest system where the box's name gives it away, else empty. Both have the same
// abilities in Vagrant, and naming them saves a dozen questions over SSH at each boot.
func (v Vagrantfile) Guest() string {
	for _, system := range []string{"ubuntu", "debian"} {
		if strings.Contains(strings.ToLower(v.Box), system) {
			return system
		}
	}
	return ""
}

// HasRootDisks reports whether a node asks for a root disk of a size of its own.
func (v Vagrantfile) HasRootDisks() bool {
	return v.any(func(n VagrantNode) bool { return n.DiskMiB > 0 })
}

// HasExtraDisks reports whether a node has more disks than the box's.
func (v Vagrantfile) HasExtraDisks() bool {
	return v.any(func(n VagrantNode) bool { return len(n.ExtraDisksMiB) > 0 })
}

// HasDisks reports whether Vagrant's own support of disks is needed.
func (v Vagrantfile) HasDisks() bool {
	return v.VirtualBox() && (v.HasRootDisks() || v.HasExtraDisks())
}

// HasForwards reports whether a node has forwarded ports beside that of SSH.
func (v Vagrantfile) HasForwards() bool {
	return v.any(func(n VagrantNode) bool { return len(n.Forwards) > 0 })
}

func (v Vagrantfile) any(has func(VagrantNode) bool) bool {
	for _, n := range v.Nodes {
		if has(n) {
			return true
		}
	}
	return false
}

// rubyString quotes any text as one Ruby string literal on one line. Of a double-quoted literal only the quote, the
// backslash and # (interpolation) have a meaning; what does not print is written as \u{...}.
func rubyString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '"' || r == '\\' || r == '#':
			b.WriteByte('\\')
			b.WriteRune(r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plainRune drops what is neither a letter, a digit nor a hyphen: for names in comments.
func plainRune(r rune) rune {
	if r == '-' || r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
		return r
	}
	return -1
}
