package lab

import (
	"fmt"
	"net/netip"
	"slices"
)

// firstHost is where addresses start that the description leaves open: network + 10. Those before it are left to the
// gateway and to what a teacher wants to place by hand.
const firstHost = 10

// maxMachines is the most machines that one lab can have.
const maxMachines = 4096

// Machines lists the lab's machines in the order of nodes, counts expanded and addresses filled in. The lab must have
// been through Default. In a lab that Validate refuses, addresses may be missing (the zero Addr).
func Machines(l Lab) []Machine {
	network, err := netip.ParsePrefix(l.Network)
	if err != nil {
		network = netip.Prefix{}
	}
	var machines []Machine
	taken := map[netip.Addr]bool{}
	if k := l.Kubernetes; k != nil {
		if virtual, err := netip.ParseAddr(k.VirtualAddress); err == nil {
			taken[virtual] = true
		}
	}
	for entry, n := range l.Nodes {
		address := givenAddress(l, n, network)
		for i := range min(copies(n), maxMachines-len(machines)) {
			m := Machine{
				Name: n.Name, Entry: entry, Roles: slices.Clone(n.Roles), CPUs: n.CPUs, Memory: n.Memory, Disk: n.Disk,
				Disks: slices.Clone(n.Disks), Forward: slices.Clone(n.Forward), Address: address,
			}
			if n.Count > 0 {
				m.Name = fmt.Sprintf("%s%d", n.Name, i+1)
			}
			if n.SSH != nil {
				ssh := *n.SSH
				m.SSH = &ssh
			}
			if address.IsValid() {
				taken[address] = true
				address = address.Next()
			}
			machines = append(machines, m)
		}
	}
	if l.Provider != ProviderStatic { // machines that exist already have the address that they have
		assign(machines, network, taken)
	}
	return machines
}

// copies is how many machines an entry of nodes makes.
func copies(n Node) int { return max(1, n.Count) }

// givenAddress is the address written for the first machine of an entry, or the zero Addr. Machines that exist already
// have an address of their own: where only ssh.host is written and it is one, it counts.
func givenAddress(l Lab, n Node, network netip.Prefix) netip.Addr {
	text := n.Address
	if text == "" && l.Provider == ProviderStatic && n.SSH != nil {
		text = n.SSH.Host
		if a, err := netip.ParseAddr(text); err != nil || !network.Contains(a) {
			return netip.Addr{}
		}
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return address
}

// assign gives the machines without an address the next free ones from firstHost on, as far as the network reaches.
func assign(machines []Machine, network netip.Prefix, taken map[netip.Addr]bool) {
	if !network.IsValid() || !network.Addr().Is4() {
		return
	}
	next := network.Masked().Addr()
	for range firstHost {
		next = next.Next()
	}
	last := broadcast(network)
	for i := range machines {
		if machines[i].Address.IsValid() {
			continue
		}
		for taken[next] {
			next = next.Next()
		}
		if !next.IsValid() || !next.Less(last) {
			return
		}
		machines[i].Address = next
		taken[next] = true
	}
}

// broadcast is the last address of an IPv4 network.
func broadcast(network netip.Prefix) netip.Addr {
	a := network.Masked().Addr().As4()
	for i := network.Bits(); i < 32; i++ {
		a[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(a)
}
