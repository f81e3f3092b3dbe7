package lab

import (
	"fmt"
	mathbits "math/bits"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// network checks the private network, the addresses in it, and the cluster's own networks.
func (c *checker) network() {
	network, ok := c.prefix("network", c.lab.Network, 16, 29, "192.168.56.0/24")
	if ok && !network.Addr().IsPrivate() && c.lab.Provider != ProviderStatic {
		c.bad("network", c.lab.Network, "holds addresses of the internet: write one of 192.168.0.0/16, 172.16.0.0/12 or 10.0.0.0/8, such as 192.168.56.0/24")
	}
	if ok {
		c.addresses(network)
		c.virtualAddress(network)
	}
	known := []named{{"network", network, ok}}
	if c.lab.Provider == ProviderVirtualBox {
		// Every machine's first card: https://www.virtualbox.org/manual/topics/networkingdetails.html#nat-address-config
		known = append(known, named{"the network of VirtualBox's NAT card", netip.MustParsePrefix("10.0.2.0/24"), true})
	}
	if k := c.lab.Kubernetes; k != nil {
		pods, podsOK := c.prefix("kubernetes.pod_subnet", k.PodSubnet, 8, 24, "10.244.0.0/16")
		if podsOK {
			c.podRoom(pods)
		}
		if podsOK && ok && k.CNI == CNIBridge {
			if _, err := PodRange(network, pods, broadcast(network).Prev()); err != nil {
				c.bad("kubernetes.pod_subnet", k.PodSubnet, "%s", strings.TrimPrefix(err.Error(), k.PodSubnet+" "))
			}
		}
		// More than 20 bits of hosts are too large for the API server: https://github.com/kubernetes/kubernetes/pull/12841
		services, servicesOK := c.prefix("kubernetes.service_subnet", k.ServiceSubnet, 12, 24, "10.96.0.0/12")
		known = append(known, named{"kubernetes.pod_subnet", pods, podsOK}, named{"kubernetes.service_subnet", services, servicesOK})
	}
	c.overlaps(known)
	for i, resolver := range c.lab.DNS {
		path := fmt.Sprintf("dns[%d]", i)
		address, err := netip.ParseAddr(resolver)
		switch {
		case err != nil || address.Zone() != "":
			c.bad(path, resolver, "is not an address: write one such as 192.168.0.1")
		case address.IsLoopback() || address.IsUnspecified():
			c.bad(path, resolver, "is each machine itself: write the address of a resolver in the network")
		}
	}
}

// prefix checks an IPv4 network in CIDR form whose mask has between least and most bits.
func (c *checker) prefix(path, value string, least, most int, example string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(value)
	switch {
	case err != nil:
		c.bad(path, value, "is not a network: write one such as %s", example)
	case !p.Addr().Is4():
		c.bad(path, value, "is an IPv6 network, which podium does not offer: write an IPv4 one such as %s", example)
	case p != p.Masked():
		c.bad(path, value, "is an address in a network: write %s", p.Masked())
	case p.Bits() < least || p.Bits() > most:
		c.bad(path, value, "has a mask of %d bits: write between /%d and /%d", p.Bits(), least, most)
	default:
		return p, true
	}
	return netip.Prefix{}, false
}

// named is a network and the field it stands in.
type named struct {
	name   string
	prefix netip.Prefix
	ok     bool
}

// overlaps reports networks that share addresses, at the one that stands further down.
func (c *checker) overlaps(networks []named) {
	for i, n := range networks {
		for _, before := range networks[:i] {
			if !n.ok || !before.ok || !n.prefix.Overlaps(before.prefix) {
				continue
			}
			if n.name == "the network of VirtualBox's NAT card" {
				n, before = before, n
			}
			c.bad(n.name, n.prefix.String(), "overlaps with %s (%s): write a network that shares no address with it", before.name, before.prefix)
		}
	}
}

// podRoom checks that each node gets the /24 of pods that the controller manager hands out (--node-cidr-mask-size).
func (c *checker) podRoom(pods netip.Prefix) {
	nodes := 0
	for _, n := range c.lab.Nodes {
		if slices.Contains(n.Roles, RoleControlPlane) || slices.Contains(n.Roles, RoleWorker) {
			nodes += min(copies(n), maxMachines)
		}
	}
	if room := 1 << (24 - pods.Bits()); nodes > room {
		c.bad("kubernetes.pod_subnet", pods.String(), "has room for %d nodes with a /24 each, and the cluster has %d: write a larger one such as %s", room, nodes, podSubnetFor(nodes))
	}
}

// podSubnetFor is a network with room for a /24 for each of so many nodes.
func podSubnetFor(nodes int) netip.Prefix {
	bits := min(16, 24-mathbits.Len(uint(nodes-1)))
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 244}), bits).Masked()
}

// addresses checks what each machine gets, given or assigned.
func (c *checker) addresses(network netip.Prefix) {
	gateway, last := network.Addr().Next(), broadcast(network)
	owner := map[netip.Addr]Machine{}
	bad := map[int]bool{} // entries reported already
	for _, m := range Machines(c.lab) {
		n := c.lab.Nodes[m.Entry]
		path, shown := fmt.Sprintf("nodes[%d].address", m.Entry), n.Address
		if bad[m.Entry] {
			continue
		}
		first, taken := owner[m.Address]
		fault := func(value, message string, args ...any) {
			bad[m.Entry] = true
			c.bad(path, value, message, args...)
		}
		switch {
		case n.Address != "" && !isIPv4(n.Address):
			fault(shown, "is not an IPv4 address: write one such as %s", example(network))
		case !m.Address.IsValid() && n.SSH != nil && n.SSH.Host != "" && c.lab.Provider == ProviderStatic:
			fault("", "is missing, and ssh.host does not tell it: write the machine's address in network %s, or set network", network)
		case !m.Address.IsValid() && c.lab.Provider == ProviderStatic:
			continue // ssh says it
		case !m.Address.IsValid():
			c.bad("network", network.String(), "has no address left for %s: write a larger network, such as one with /%d", m.Name, max(16, network.Bits()-4))
			return
		case !network.Contains(m.Address):
			fault(m.Address.String(), "is outside the network %s: write one such as %s, or set network", network, example(network))
		case m.Address == network.Addr():
			fault(m.Address.String(), "is the network's own address: write one such as %s", example(network))
		case m.Address == gateway && c.lab.Provider != ProviderStatic:
			fault(m.Address.String(), "is your computer's own in the network: write one such as %s", example(network))
		case m.Address == last:
			fault(m.Address.String(), "is the network's broadcast address: write one such as %s", example(network))
		case taken:
			fault(m.Address.String(), "is the address of %s too: write another", first.Name)
		}
		owner[m.Address] = m
	}
}

func isIPv4(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && a.Is4()
}

// example is an address that a machine could have.
func example(network netip.Prefix) netip.Addr {
	a := network.Addr()
	for range min(firstHost, 1<<(32-network.Bits())-2) {
		a = a.Next()
	}
	return a
}

// minPort is the first port that a service can have without root.
const minPort = 1024

// services checks the ports of what a browser is pointed at.
func (c *checker) services() {
	type use struct {
		path, role string
		port       int
	}
	var uses []use
	if j := c.lab.Jenkins; j != nil {
		uses = append(uses, use{"jenkins.port", RoleJenkins, j.Port})
		if j.Registry != 0 {
			c.registry(*j)
			uses = append(uses, use{"jenkins.registry", RoleJenkins, j.Registry})
		}
	}
	if m := c.lab.Monitoring; m != nil {
		c.monitoring(*m)
		monitoring := []use{{"monitoring.prometheus_port", RoleMonitoring, m.PrometheusPort}, {"monitoring.alertmanager_port", RoleMonitoring, m.AlertmanagerPort}}
		if m.HasGrafana() {
			monitoring = append(monitoring, use{"monitoring.grafana_port", RoleMonitoring, m.GrafanaPort})
		}
		if m.Place == PlaceCluster {
			for i, u := range monitoring {
				taken := slices.IndexFunc(monitoring[:i], func(before use) bool { return before.port == u.port })
				if taken >= 0 {
					c.bad(u.path, strconv.Itoa(u.port), "is the port of %s too: write another", monitoring[taken].path)
				} else {
					c.nodePort(u.path, u.port)
				}
			}
		} else {
			uses = append(uses, monitoring...)
		}
	}
	for i, u := range uses {
		port := strconv.Itoa(u.port)
		if u.port < minPort || u.port > 65535 {
			c.bad(u.path, port, "is not a port that a service without root can have: write 1024 to 65535")
			continue
		}
		owner := c.fixedPort(u.port, u.role)
		for _, before := range uses[:i] {
			if before.port == u.port && c.together(before.role, u.role) {
				owner = before.path
			}
		}
		if owner != "" {
			c.bad(u.path, port, "is taken on the same machine by %s: write another", owner)
		}
	}
}

// monitoring checks what the section holds beside its ports.
func (c *checker) monitoring(m Monitoring) {
	c.oneOf("monitoring.place", m.Place, places())
	if m.Place == PlaceCluster && c.lab.Kubernetes == nil && !c.at.silent("kubernetes") {
		c.bad("monitoring.place", m.Place, "needs a cluster: write the section kubernetes: {}, or place: %s", PlaceMachine)
	}
	if !duration.MatchString(m.Retention) || !strings.ContainsAny(m.Retention, "123456789") {
		c.bad("monitoring.retention", m.Retention, "is not a time to keep data: write one such as 2d, 12h or 1w")
	}
	u, err := url.Parse(m.Webhook)
	if m.Webhook != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(m.Webhook, " \t\"'\\`$")) {
		c.bad("monitoring.webhook", m.Webhook, "is not an http or https URL: write one such as http://chat.school.example/hooks/lab")
	}
}

// registry checks what a registry beside Jenkins needs: who fills it, and who takes from it.
func (c *checker) registry(j Jenkins) {
	port := strconv.Itoa(j.Registry)
	switch {
	case c.lab.Kubernetes == nil && !c.at.silent("kubernetes"):
		c.bad("jenkins.registry", port, "has no cluster to deliver to: write the section kubernetes: {}, or leave it out")
	case c.lab.Kubernetes != nil && c.lab.Runtime != RuntimeContainerd:
		c.bad("jenkins.registry", port, "is for clusters with runtime: %s: write that, or leave it out", RuntimeContainerd)
	case !c.together(RoleJenkins, RoleDocker) && !c.unsure(RoleJenkins) && !c.unsure(RoleDocker):
		c.bad("jenkins.registry", port, "needs Docker to build images with: give the node with the role %s the role %s too", RoleJenkins, RoleDocker)
	}
}

// nodePort checks a port that every node of the cluster opens:
// https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport
func (c *checker) nodePort(path string, port int) {
	if port < 30000 || port > 32767 {
		c.bad(path, strconv.Itoa(port), "is not a port that a cluster can open on its nodes: write 30000 to 32767")
	}
}

// duration is Prometheus's: https://prometheus.io/docs/prometheus/latest/configuration/configuration/
var duration = regexp.MustCompile(`^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$`)

// together reports whether a node has both roles.
func (c *checker) together(a, b string) bool {
	return slices.ContainsFunc(c.lab.Nodes, func(n Node) bool {
		return slices.Contains(n.Roles, a) && slices.Contains(n.Roles, b)
	})
}

// fixedPort names what else listens on the port on machines with the role; empty: nothing. Ports of Kubernetes:
// https://kubernetes.io/docs/reference/networking/ports-and-protocols/
func (c *checker) fixedPort(port int, role string) string {
	control, worker := c.together(role, RoleControlPlane), c.together(role, RoleWorker)
	switch {
	case port == 9100 && c.lab.Monitoring != nil:
		return "node_exporter"
	case slices.Contains([]int{6443, 2379, 2380, 2381, 10257, 10259}, port) && control:
		return "the control plane"
	case port == BalancerPort && control && c.lab.Kubernetes.VirtualAddress != "":
		return "haproxy"
	case (port == 2379 || port == 2380) && c.together(role, RoleEtcd):
		return "etcd"
	case slices.Contains([]int{10248, 10249, 10250, 10256}, port) && (control || worker):
		return "Kubernetes"
	case port >= 30000 && port <= 32767 && (control || worker):
		return "Kubernetes (node ports)"
	default:
		return ""
	}
}

// mirrors checks mirrors and proxy.
func (c *checker) mirrors() {
	m := c.lab.Mirrors
	for _, f := range mirrorFields(&m) {
		if *f.Field != "" {
			c.url(f.Path, *f.Field, "http://mirror.school.example/"+strings.TrimPrefix(f.Path, "mirrors."))
		}
	}
	for registry, mirror := range m.Registries {
		path := join("mirrors.registries", registry)
		if !registryName.MatchString(registry) {
			c.bad(path, "", "%q is not a registry: write its host, such as docker.io", registry)
		}
		c.url(path, mirror, "http://mirror.school.example:5000")
	}
	for file, sum := range m.Checksums {
		path := join("mirrors.checksums", file)
		if file == "" || strings.ContainsAny(file, " \t\n\"'") || strings.HasPrefix(file, "/") {
			c.bad(path, "", "%q is not the path of a file below a mirror: write it as podium catalog COMPONENT shows it, without the host", file)
		}
		if !checksum.MatchString(sum) {
			c.bad(path, sum, "is not a SHA-256 checksum: write the 64 hexadecimal digits that sha256sum prints, in small letters")
		}
	}
	p := c.lab.Proxy
	if p == nil {
		return
	}
	if p.HTTP == "" && p.HTTPS == "" {
		c.bad("proxy", "", "names no proxy: write http: http://proxy.school.example:3128")
	}
	for _, f := range []struct{ path, value string }{{"proxy.http", p.HTTP}, {"proxy.https", p.HTTPS}} {
		if f.value != "" {
			c.url(f.path, f.value, "http://proxy.school.example:3128")
		}
	}
	for i, host := range p.NoProxy {
		if host == "" || strings.ContainsAny(host, " ,\t/") && !isPrefix(host) {
			c.bad(fmt.Sprintf("proxy.no_proxy[%d]", i), host, "is not a host, a domain or a network: write one such as .school.example or 10.0.0.0/8")
		}
	}
}

var checksum = regexp.MustCompile(`^[0-9a-f]{64}$`)

var registryName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$`)

func isPrefix(text string) bool {
	_, err := netip.ParsePrefix(text)
	return err == nil
}

// url checks an http or https address. Spaces and quotes are refused in particular: scripts write it into lists.
func (c *checker) url(path, value, example string) {
	if m, exact := c.at.find(path); exact {
		value = m.value // Default has cut the slash at the end
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(value, " \t\"'\\`$") || !validPort(u.Host) {
		c.bad(path, value, "is not an http or https URL: write one such as %s", example)
		return
	}
	if u.RawQuery != "" || u.Fragment != "" {
		c.bad(path, value, "has a ? or # in it, but names are put behind it: write one such as %s", example)
	}
}

func validPort(host string) bool {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return !strings.HasSuffix(host, ":")
	}
	n, err := strconv.Atoi(port)
	return err == nil && n > 0 && n <= 65535
}
