// Package network models the commands that show, use and change a node's network: two cards (eth0 behind NAT, the same
// on every node, and eth1 in the lab's network), names, HTTP, packet filters.
package network

import (
	"context"
	"net/netip"
	"strings"
	"sync"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/kernel"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"ip": ip, "curl": curl, "iptables": iptables,
	}
}

// natAddress is the address of eth0, behind NAT, on every node alike: what VirtualBox gives.
const natAddress = "10.0.2.15"

// tables are the routes and filter rules that were added since boot.
type tables struct {
	mu     sync.Mutex
	routes map[string]string // destination: rest of the line
	rules  []string
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
	args, oneline := p.Args[1:], false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-o", "-oneline":
			oneline = true
		case "-4":
		default:
			p.Errorf("Option \"%s\" is unknown (or one the simulator's model of ip does not have), try \"ip -help\".", args[0])
			return 255
		}
		args = args[1:]
	}
	switch {
	case len(args) > 0 && strings.HasPrefix("address", args[0]):
		return ipAddress(p, args[1:], oneline)
	case len(args) > 0 && strings.HasPrefix("route", args[0]):
		return ipRoute(p, args[1:])
	}
	p.Errorf("ip: the simulator's model has only address and route")
	return 255
}

func ipAddress(p *guest.Process, args []string, oneline bool) int {
	if len(args) > 0 && (args[0] == "show" || args[0] == "list") {
		args = args[1:]
	}
	var to netip.Prefix
	if len(args) == 2 && args[0] == "to" {
		prefix, err := netip.ParsePrefix(args[1])
		if a, alone := netip.ParseAddr(args[1]); alone == nil {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			p.Errorf("Error: any valid prefix is expected rather than \"%s\".", args[1])
			return 1
		}
		to, args = prefix, nil
	}
	if len(args) > 0 {
		p.Errorf("ip address: the simulator's model does not know: %s", strings.Join(args, " "))
		return 255
	}
	last := ""
	for _, c := range addresses(p.Machine()) {
		if to.IsValid() && !to.Contains(c.prefix.Addr()) {
			continue
		}
		scope := "global"
		if c.loopback {
			scope = "host"
		}
		if oneline {
			p.Printf("%d: %s    inet %s %sscope %s %s\\       valid_lft forever preferred_lft forever\n", c.index, c.name, c.prefix, broadcast(c), scope, c.name)
			continue
		}
		if c.name != last {
			p.Printf("%d: %s: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n    link/ether %s brd ff:ff:ff:ff:ff:ff\n", c.index, c.name, c.mac)
		}
		last = c.name
		p.Printf("    inet %s %sscope %s %s\n       valid_lft forever preferred_lft forever\n", c.prefix, broadcast(c), scope, c.name)
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
