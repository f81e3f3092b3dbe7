package lab

import (
	"fmt"
	"net/netip"
	"slices"
)

// virtualAddress checks the address that the control planes share: a free one in the network of the machines, because it
// moves from card to card there.
func (c *checker) virtualAddress(network netip.Prefix) {
	k := c.lab.Kubernetes
	if k == nil {
		return
	}
	const path = "kubernetes.virtual_address"
	if k.VirtualAddress == "" {
		if n := controlPlanes(c.lab); n > 1 && c.lab.Provider == ProviderStatic {
			c.bad(path, "", "is missing: write an address of %s that nobody has, for the API of the %d control planes; which are free among machines that exist already, podium cannot know", network, n)
		} else if n > 1 {
			c.bad("network", network.String(), "has no address left for the API of the %d control planes: write a larger network, such as one with /%d", n, max(16, network.Bits()-4))
		}
		return
	}
	address, err := netip.ParseAddr(k.VirtualAddress)
	owner := slices.IndexFunc(Machines(c.lab), func(m Machine) bool { return m.Address == address })
	example := broadcast(network).Prev()
	switch {
	case err != nil || !address.Is4():
		c.bad(path, k.VirtualAddress, "is not an IPv4 address: write one that no machine has, such as %s", example)
	case !network.Contains(address):
		c.bad(path, k.VirtualAddress, "is outside the network %s, in which it moves from control plane to control plane: write one such as %s", network, example)
	case address == network.Addr():
		c.bad(path, k.VirtualAddress, "is the network's own address: write one such as %s", example)
	case address == network.Addr().Next() && c.lab.Provider != ProviderStatic:
		c.bad(path, k.VirtualAddress, "is your computer's own in the network: write one such as %s", example)
	case address == broadcast(network):
		c.bad(path, k.VirtualAddress, "is the network's broadcast address: write one such as %s", example)
	case owner >= 0:
		c.bad(path, k.VirtualAddress, "is the address of %s: write one that no machine has", Machines(c.lab)[owner].Name)
	}
}

// etcd checks who keeps the cluster's data: members vote, so their number is odd; and where they stand.
func (c *checker) etcd(count map[string]int, where map[string]string) {
	k := c.lab.Kubernetes
	if k == nil {
		return
	}
	role := RoleControlPlane
	if k.Etcd == EtcdExternal {
		role = RoleEtcd
	}
	members := count[role]
	switch {
	case c.unsure(role):
	case members > 0 && members%2 == 0:
		c.bad(where[role], role, "is the role of %d nodes, an even number of etcd members, which outlives no more failures than one fewer: make it %d or %d", members, members-1, members+1)
	case members == 0 && role == RoleEtcd:
		c.bad("kubernetes.etcd", k.Etcd, "needs nodes for etcd, and no node has the role %s: give it to 3, or write %s", RoleEtcd, EtcdStacked)
	}
	if k.Etcd == EtcdStacked && count[RoleEtcd] > 0 && !c.at.silent("kubernetes.etcd") {
		c.bad(where[RoleEtcd], RoleEtcd, "has no use while etcd is on the control planes: write kubernetes: {etcd: %s}, or take the role away", EtcdExternal)
	}
	for i, n := range c.lab.Nodes {
		for _, other := range []string{RoleControlPlane, RoleWorker} {
			if slices.Contains(n.Roles, RoleEtcd) && slices.Contains(n.Roles, other) {
				c.bad(fmt.Sprintf("nodes[%d].roles", i), "", "has %s and %s, but external etcd is on nodes of its own: take one of them away", RoleEtcd, other)
			}
		}
	}
}
