package lab

import (
	"net/netip"
	"slices"
)

// BalancerPort is where the API is at its virtual address: 6443 is taken there by the control plane's own API server.
// https://github.com/kubernetes/kubeadm/blob/main/docs/ha-considerations.md calls it APISERVER_DEST_PORT and leaves the
// choice open; read 2026-11-21.
const BalancerPort = 8443

// controlPlanes counts the machines with the role.
func controlPlanes(l Lab) int {
	n := 0
	for _, node := range l.Nodes {
		if slices.Contains(node.Roles, RoleControlPlane) {
			n += min(copies(node), maxMachines)
		}
	}
	return n
}

// defaultVirtualAddress is a free address for the API of several control planes: the last one before those of the
// machines, else the last of the network. One control plane needs none. Which addresses are free among machines that
// exist already, nobody can know.
func defaultVirtualAddress(l Lab) string {
	network, err := netip.ParsePrefix(l.Network)
	if err != nil || !network.Addr().Is4() || controlPlanes(l) < 2 || l.Provider == ProviderStatic {
		return ""
	}
	taken := reserved(l, network)
	if k := l.Kubernetes; k != nil && k.MetalLB != nil {
		if pool, err := ParsePool(k.MetalLB.Pool); err == nil && network.Contains(pool.First) && network.Contains(pool.Last) {
			for a := pool.First; pool.Contains(a); a = a.Next() {
				taken[a] = "MetalLB's"
			}
		}
	}
	address := network.Masked().Addr()
	for range firstHost - 1 {
		address = address.Next()
	}
	host := network.Masked().Addr().Next()
	for ; host.Less(address); address = address.Prev() {
		if network.Contains(address) && taken[address] == "" {
			return address.String()
		}
	}
	for address = broadcast(network).Prev(); host.Less(address); address = address.Prev() {
		if taken[address] == "" {
			return address.String()
		}
	}
	return ""
}
