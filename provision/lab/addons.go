package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// The add-ons of a cluster.
const (
	AddonHelm          = "helm"
	AddonMetricsServer = "metrics-server"
	AddonMetalLB       = "metallb"
	AddonGateway       = "gateway" // the Gateway API by NGINX Gateway Fabric
	AddonTraefik       = "traefik" // the Gateway API by Traefik
	AddonNFS           = "nfs"
	AddonHeadlamp      = "headlamp"
	AddonLinkerd       = "linkerd"       // service mesh
	AddonIngressNginx  = "ingress-nginx" // retired by its project in March 2026: for lessons about the past
)

// Addons lists the add-ons a cluster can have.
func Addons() []string {
	return []string{AddonHelm, AddonMetricsServer, AddonMetalLB, AddonGateway, AddonTraefik, AddonNFS, AddonHeadlamp, AddonLinkerd, AddonIngressNginx}
}

// HasAddon reports whether the cluster gets an add-on; false for a lab without a cluster.
func (l Lab) HasAddon(name string) bool {
	return l.Kubernetes != nil && slices.Contains(l.Kubernetes.Addons, name)
}

// Pool is a range of addresses, the first and the last included.
type Pool struct{ First, Last netip.Addr }

// ParsePool reads a range such as 192.168.56.240-192.168.56.250.
func ParsePool(text string) (Pool, error) {
	from, to, ok := strings.Cut(text, "-")
	first, err := netip.ParseAddr(strings.TrimSpace(from))
	last, err2 := netip.ParseAddr(strings.TrimSpace(to))
	switch {
	case !ok || err != nil || err2 != nil || !first.Is4() || !last.Is4():
		return Pool{}, fmt.Errorf("%q is not a range of addresses", text)
	case last.Less(first):
		return Pool{}, fmt.Errorf("%q ends before it begins", text)
	}
	return Pool{first, last}, nil
}

// String writes the range as ParsePool reads it.
func (p Pool) String() string { return p.First.String() + "-" + p.Last.String() }

// Contains reports whether the address is in the range.
func (p Pool) Contains(a netip.Addr) bool { return !a.Less(p.First) && !p.Last.Less(a) }

const (
	poolSize = 11 // addresses of a pool that nobody has written: .240 to .250 in a /24
	poolEdge = 5  // addresses between it and the end of a network that has room for that
	poolRoom = 64 // addresses of such a network
)

// freePool is the highest range of at most poolSize addresses that are nobody's; false where the network has none.
func freePool(l Lab) (Pool, bool) {
	network, err := netip.ParsePrefix(l.Network)
	if err != nil || !network.Addr().Is4() {
		return Pool{}, false
	}
	taken := reserved(l, network)
	last := broadcast(network)
	if 1<<(32-network.Bits()) >= poolRoom {
		for range poolEdge {
			last = last.Prev()
		}
	}
	var p Pool
	size := 0
	for a := last; network.Contains(a) && size < poolSize; a = a.Prev() {
		if taken[a] != "" {
			if size > 0 {
				break
			}
			continue
		}
		if size == 0 {
			p.Last = a
		}
		p.First = a
		size++
	}
	return p, size > 0
}

// reserved says whose an address of the lab's network is, where it is somebody's.
func reserved(l Lab, network netip.Prefix) map[netip.Addr]string {
	taken := map[netip.Addr]string{
		network.Masked().Addr(): "the network's own",
		broadcast(network):      "the network's broadcast address",
	}
	if l.Provider != ProviderStatic {
		taken[network.Masked().Addr().Next()] = "your computer's own in the network"
	}
	if k := l.Kubernetes; k != nil {
		if address, err := netip.ParseAddr(k.VirtualAddress); err == nil {
			taken[address] = "the virtual address of the API"
		}
	}
	for _, m := range Machines(l) {
		if m.Address.IsValid() {
			taken[m.Address] = "that of " + m.Name
		}
	}
	return taken
}
