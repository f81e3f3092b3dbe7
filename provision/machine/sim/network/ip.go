// Package network models the commands that show, use and change a node's network: two cards (eth0 behind NAT, the same
// on every node, and eth1 in the lab's network), names, HTTP, packet filters.
package network

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/kernel"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"ip": ip, "ss": ss, "ping": ping, "nc": nc, "curl": curl, "wget": wget, "iptables": iptables, "iptables-save": succeed,
		"iptables-restore": succeed, "conntrack": succeed, "ethtool": succeed, "ipset": succeed, "ipvsadm": succeed, "ebtables": succeed,
		"ssh-keyscan": succeed, "lsb_release": lsbRelease,
	}
}

func succeed(context.Context, *guest.Process) int { return 0 }

// natAddress is the address of eth0, behind NAT, on every node alike: what VirtualBox gives.
const natAddress = "10.0.2.15"

// tables are the routes and filter rules that were added since boot.
type tables struct {
	mu     sync.Mutex
	routes map[string]string // destination: rest of the line
	rules  []string
	links  []string
}

type tablesKey struct{}

func tablesOf(k *guest.Kernel) *tables {
	return guest.Value(k, tablesKey{}, func() *tables { return &tables{routes: map[string]string{}} })
}

// card is one interface with one of its addresses.
type card struct {
	index    int
	name     string
	prefix   netip.Prefix
	mac      string
	loopback bool
}

func cards(m *guest.Machine) []card {
	list := []card{
		{1, "lo", netip.MustParsePrefix("127.0.0.1/8"), "00:00:00:00:00:00", true},
		{2, "eth0", netip.MustParsePrefix(natAddress + "/24"), "08:00:27:00:00:01", false},
	}
	bits := 24
	if n, err := netip.ParsePrefix(m.Hardware.Network); err == nil {
		bits = n.Bits()
	}
	if a, err := netip.ParseAddr(m.Hardware.Address); err == nil {
		list = append(list, card{3, "eth1", netip.PrefixFrom(a, bits), kernel.MAC(m), false})
	}
	return list
}

// addresses are those of the cards, and those that the machine shares with others and has now.
func addresses(m *guest.Machine) []card {
	list := cards(m)
	for _, held := range m.Held() {
		if a, err := netip.ParseAddr(held); err == nil {
			list = append(list, card{3, "eth1", netip.PrefixFrom(a, a.BitLen()), kernel.MAC(m), false})
		}
	}
	return list
}

func ip(_ context.Context, p *guest.Process) int {
	args := p.Args[1:]
	oneline, brief, jsonOut := false, false, false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-o", "-oneline":
			oneline = true
		case "-br", "-brief":
			brief = true
		case "-4", "-6", "-c", "-color", "-d", "-s", "-h", "-details":
			if args[0] == "-6" {
				return 0
			}
		case "-j", "-json", "-p":
			jsonOut = true
		default:
			p.Errorf("Option \"%s\" is unknown (or one the simulator's model of ip does not have), try \"ip -help\".", args[0])
			return 255
		}
		args = args[1:]
	}
	if jsonOut {
		p.Errorf("ip: the simulator's model has no -json")
		return 255
	}
	if len(args) == 0 {
		p.Errorf("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }")
		return 255
	}
	switch object := args[0]; {
	case strings.HasPrefix("address", object):
		return ipAddress(p, args[1:], oneline, brief)
	case strings.HasPrefix("route", object):
		return ipRoute(p, args[1:])
	case strings.HasPrefix("link", object):
		return ipLink(p, args[1:], oneline, brief)
	case strings.HasPrefix("neighbour", object), strings.HasPrefix("rule", object):
		return 0
	}
	p.Errorf("Object \"%s\" is unknown (or one the simulator's model of ip does not have), try \"ip help\".", args[0])
	return 255
}

func ipAddress(p *guest.Process, args []string, oneline, brief bool) int {
	if len(args) > 0 && (args[0] == "show" || args[0] == "list") {
		args = args[1:]
	}
	var dev string
	var to netip.Prefix
	for len(args) > 0 {
		switch {
		case args[0] == "dev" && len(args) > 1:
			dev, args = args[1], args[2:]
		case args[0] == "to" && len(args) > 1:
			prefix, err := netip.ParsePrefix(args[1])
			if err != nil {
				a, err := netip.ParseAddr(args[1])
				if err != nil {
					p.Errorf("Error: any valid prefix is expected rather than \"%s\".", args[1])
					return 1
				}
				prefix = netip.PrefixFrom(a, a.BitLen())
			}
			to, args = prefix, args[2:]
		case args[0] == "up":
			args = args[1:]
		case args[0] == "scope" && len(args) > 1:
			args = args[2:]
		case dev == "" && !strings.HasPrefix(args[0], "add") && !strings.HasPrefix(args[0], "del"):
			dev, args = args[0], args[1:]
		default:
			p.Errorf("ip address: the simulator's model does not know: %s", strings.Join(args, " "))
			return 255
		}
	}
	found, last := false, ""
	var lines []string
	for _, c := range addresses(p.Machine()) {
		if dev != "" && c.name != dev {
			continue
		}
		found = true
		if to.IsValid() && !to.Contains(c.prefix.Addr()) {
			continue
		}
		scope := "global"
		if c.loopback {
			scope = "host"
		}
		again := c.name == last
		last = c.name
		switch {
		case brief && again:
			lines[len(lines)-1] += c.prefix.String() + " "
			continue
		case brief:
			lines = append(lines, fmt.Sprintf("%-16s UP             %s ", c.name, c.prefix))
			continue
		case oneline:
			lines = append(lines, fmt.Sprintf("%d: %s    inet %s %sscope %s %s\\       valid_lft forever preferred_lft forever", c.index, c.name, c.prefix, broadcast(c), scope, c.name))
			continue
		case !again:
			lines = append(lines, fmt.Sprintf("%d: %s: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n    link/ether %s brd ff:ff:ff:ff:ff:ff", c.index, c.name, c.mac))
		}
		lines = append(lines, fmt.Sprintf("    inet %s %sscope %s %s\n       valid_lft forever preferred_lft forever", c.prefix, broadcast(c), scope, c.name))
	}
	for _, line := range lines {
		p.Print(line + "\n")
	}
	if !found {
		p.Errorf("Device \"%s\" does not exist.", dev)
		return 1
	}
	return 0
}

func broadcast(c card) string {
	if c.loopback || c.prefix.IsSingleIP() {
		return ""
	}
	b := c.prefix.Masked().Addr().As4()
	host := 32 - c.prefix.Bits()
	for i := 3; i >= 0 && host > 0; i-- {
		n := min(host, 8)
		b[i] |= byte(1<<n - 1)
		host -= n
	}
	return "brd " + netip.AddrFrom4(b).String() + " "
}

func ipLink(p *guest.Process, args []string, oneline, brief bool) int {
	t := tablesOf(p.Kernel)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(args) > 0 {
		switch args[0] {
		case "add":
			name := args[1]
			if name == "name" || name == "dev" || name == "link" {
				name = args[2]
			}
			t.links = append(t.links, name)
			return 0
		case "delete", "del":
			t.links = slices.DeleteFunc(t.links, func(l string) bool { return l == args[len(args)-1] })
			return 0
		case "set":
			return 0
		case "show", "list":
			args = args[1:]
		}
	}
	if len(args) > 0 && args[0] == "dev" {
		args = args[1:]
	}
	found := false
	show := func(i int, name, mac string) {
		if len(args) > 0 && args[0] != name {
			return
		}
		found = true
		sep := "\n    "
		if oneline {
			sep = `\    `
		}
		if brief {
			p.Printf("%-16s UP             %s <BROADCAST,MULTICAST,UP,LOWER_UP> \n", name, mac)
			return
		}
		p.Printf("%d: %s: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT group default qlen 1000%slink/ether %s brd ff:ff:ff:ff:ff:ff\n", i, name, sep, mac)
	}
	for _, c := range cards(p.Machine()) {
		show(c.index, c.name, c.mac)
	}
	for i, l := range t.links {
		show(4+i, l, "02:00:00:00:00:01")
	}
	if !found {
		p.Errorf("Device \"%s\" does not exist.", args[0])
		return 1
	}
	return 0
}
