package lab

import (
	"net/netip"
	"testing"
)

func TestParsePool(t *testing.T) {
	for _, c := range []struct{ text, want, err string }{
		{"192.168.56.240-192.168.56.250", "192.168.56.240-192.168.56.250", ""},
		{" 10.0.0.1 - 10.0.0.1 ", "10.0.0.1-10.0.0.1", ""},
		{"10.0.0.9-10.0.0.1", "", `"10.0.0.9-10.0.0.1" ends before it begins`},
		{"10.0.0.0/24", "", `"10.0.0.0/24" is not a range of addresses`},
		{"10.0.0.1-fd00::1", "", `"10.0.0.1-fd00::1" is not a range of addresses`},
		{"", "", `"" is not a range of addresses`},
		{"10.0.0.1-", "", `"10.0.0.1-" is not a range of addresses`},
	} {
		p, err := ParsePool(c.text)
		switch {
		case err != nil && err.Error() != c.err, err == nil && c.err != "":
			t.Errorf("ParsePool(%q): %v, want %q", c.text, err, c.err)
		case err == nil && p.String() != c.want:
			t.Errorf("ParsePool(%q) = %s, want %s", c.text, p, c.want)
		}
	}
}

// A pool that nobody has written holds nobody's address, whatever the lab looks like.
func TestDefaultPool(t *testing.T) {
	control := func(count int, address string) Node {
		return Node{Name: "cp", Count: count, Roles: []string{RoleControlPlane}, Address: address}
	}
	for _, c := range []struct {
		name, network, provider, virtual string
		nodes                            []Node
		want                             string
	}{
		{"a class network", "192.168.56.0/24", ProviderSim, "", []Node{control(0, "")}, "192.168.56.240-192.168.56.250"},
		{"a large one", "172.20.0.0/16", ProviderSim, "", []Node{control(0, "")}, "172.20.255.240-172.20.255.250"},
		{"a node in it", "192.168.56.0/24", ProviderSim, "", []Node{control(0, "192.168.56.250")}, "192.168.56.239-192.168.56.249"},
		{"a node near its beginning", "192.168.56.0/24", ProviderSim, "", []Node{control(0, "192.168.56.244")}, "192.168.56.245-192.168.56.250"},
		{"the API's address", "192.168.56.0/24", ProviderSim, "192.168.56.248", []Node{control(3, "")}, "192.168.56.249-192.168.56.250"},
		{"a small network", "192.168.56.0/28", ProviderSim, "", []Node{control(0, "192.168.56.2")}, "192.168.56.4-192.168.56.14"},
		{"a tiny one", "192.168.56.0/29", ProviderSim, "", []Node{control(3, "192.168.56.2")}, "192.168.56.5-192.168.56.6"},
		{"a full one", "192.168.56.0/29", ProviderStatic, "", []Node{control(6, "192.168.56.1")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := Lab{
				Name: "l", Network: c.network, Provider: c.provider, Nodes: c.nodes,
				Kubernetes: &Kubernetes{Addons: []string{AddonMetalLB}, VirtualAddress: c.virtual},
			}
			Default(&l)
			if c.virtual == "" && len(c.nodes) == 1 && c.nodes[0].Count > 1 {
				l.Kubernetes.VirtualAddress, l.Kubernetes.MetalLB = "", nil // only the machines' addresses are looked at here
				defaultPool(&l)
			}
			if got := l.Kubernetes.MetalLB.Pool; got != c.want {
				t.Fatalf("pool %q, want %q", got, c.want)
			}
			if c.want == "" {
				return
			}
			p, err := ParsePool(l.Kubernetes.MetalLB.Pool)
			if err != nil {
				t.Fatal(err)
			}
			network := netip.MustParsePrefix(c.network)
			for a := p.First; p.Contains(a); a = a.Next() {
				if whose := reserved(l, network)[a]; whose != "" || !network.Contains(a) {
					t.Errorf("%s is %q", a, whose)
				}
			}
		})
	}
}
