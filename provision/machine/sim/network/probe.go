package network

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func ping(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c: W: w: i: q n 4 I: s:", option.GNU)
	if !ok {
		return 2
	}
	if len(o.Args) != 1 {
		return p.Fail(2, "usage error: Destination address required")
	}
	m := p.Machine()
	address, ok := m.Resolve(ctx, o.Args[0])
	if !ok {
		return p.Fail(2, "%s: Temporary failure in name resolution", o.Args[0])
	}
	own := address == m.Hardware.Address || strings.HasPrefix(address, "127.") || address == natAddress
	alive := own || m.Net.Peer(address) != nil || !inLab(m, address) && !m.Faults.Offline(m)
	p.Printf("PING %s (%s) 56(84) bytes of data.\n", o.Args[0], address)
	if alive {
		p.Printf("64 bytes from %s: icmp_seq=1 ttl=64 time=0.3 ms\n", address)
	}
	p.Printf("\n--- %s ping statistics ---\n1 packets transmitted, %d received (simulated)\n", o.Args[0], map[bool]int{true: 1}[alive])
	if !alive {
		return 1
	}
	return 0
}

func inLab(m *guest.Machine, address string) bool {
	n, err := netip.ParsePrefix(m.Hardware.Network)
	a, err2 := netip.ParseAddr(address)
	return err == nil && err2 == nil && n.Contains(a)
}

func nc(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "z v w: u n N q: 4", option.GNU)
	if !ok {
		return 1
	}
	if len(o.Args) != 2 {
		return p.Fail(1, "missing host or port")
	}
	var port int
	fmt.Sscan(o.Args[1], &port)
	if port == 22 {
		if address, found := p.Machine().Resolve(ctx, o.Args[0]); found && (p.Machine().Net.Peer(address) != nil || strings.HasPrefix(address, "127.")) {
			return 0
		}
	}
	if _, err := p.Machine().Net.Dial(ctx, p.Machine(), o.Args[0], port); err != nil {
		if o.Has("v") {
			p.Errorf("nc: connect to %s port %d (tcp) failed: Connection refused", o.Args[0], port)
		}
		return 1
	}
	if o.Has("v") {
		p.Errorf("Connection to %s %d port [tcp/*] succeeded!", o.Args[0], port)
	}
	return 0
}
