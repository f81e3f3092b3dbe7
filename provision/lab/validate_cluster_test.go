package lab

import (
	"fmt"
	"strings"
	"testing"
)

// loadText reads a description as a file with that text would be.
func loadText(t *testing.T, text string) (Lab, error) {
	t.Helper()
	l, at, err := Parse("lab.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	Default(&l)
	return l, Validate(l, at)
}

func TestVirtualAddress(t *testing.T) {
	const three = `
name: ha
network: %s
nodes:
  - {name: cp, count: 3, roles: [control-plane], address: %s}
kubernetes: {%s}
`
	for _, c := range []struct {
		name, network, first, fields string
		provider                     string
		want, problem                string
	}{
		{name: "by default the last before the machines", network: "192.168.56.0/24", want: "192.168.56.9"},
		{name: "by default one that is free", network: "192.168.56.0/24", first: "192.168.56.7", want: "192.168.56.6"},
		{name: "by default in a small network", network: "192.168.56.0/29", first: "192.168.56.2", want: "192.168.56.6"},
		{name: "by default not MetalLB's", network: "192.168.56.0/24", fields: "addons: [metallb], metallb: {pool: 192.168.56.5-192.168.56.9}", want: "192.168.56.4"},
		{name: "MetalLB's", network: "192.168.56.0/24", fields: "virtual_address: 192.168.56.241, addons: [metallb], metallb: {pool: 192.168.56.240-192.168.56.250}", problem: "which is the virtual address of the API"},
		{name: "as written", network: "192.168.56.0/24", fields: "virtual_address: 192.168.56.200", want: "192.168.56.200"},
		{name: "machines leave it free", network: "192.168.56.0/24", fields: "virtual_address: 192.168.56.11", want: "192.168.56.11"},
		{name: "another network", network: "192.168.56.0/24", fields: "virtual_address: 192.168.57.9", problem: `"192.168.57.9" is outside the network 192.168.56.0/24`},
		{name: "the network itself", network: "192.168.56.0/24", fields: "virtual_address: 192.168.56.0", problem: "is the network's own address"},
		{name: "the host", network: "192.168.56.0/24", fields: "virtual_address: 192.168.56.1", problem: "is your computer's own in the network"},
		{name: "broadcast", network: "192.168.56.0/24", fields: "virtual_address: 192.168.56.255", problem: "is the network's broadcast address"},
		{name: "a machine's", network: "192.168.56.0/24", first: "192.168.56.10", fields: "virtual_address: 192.168.56.11", problem: "is the address of cp2"},
		{name: "no address left", network: "10.0.0.0/29", first: "10.0.0.2", fields: "virtual_address: 10.0.0.7", problem: "broadcast"},
		{name: "machines that exist", network: "192.168.56.0/24", first: "192.168.56.20", provider: ProviderStatic, problem: "kubernetes.virtual_address: is missing: write an address of 192.168.56.0/24 that nobody has"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := fmt.Sprintf(three, c.network, c.first, c.fields)
			if c.first == "" {
				text = strings.Replace(text, ", address: }", "}", 1)
			}
			if c.provider != "" {
				text += "provider: " + c.provider + "\n"
			}
			l, err := loadText(t, text)
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) || !strings.HasPrefix(err.Error(), "lab.yaml:") {
					t.Fatalf("got %v, want a problem that says %q and where", err, c.problem)
				}
				return
			}
			if err != nil || l.Kubernetes.VirtualAddress != c.want {
				t.Errorf("got %s, %v; want %s", l.Kubernetes.VirtualAddress, err, c.want)
			}
		})
	}
}

// One control plane has no virtual address unless it is to have one, and then haproxy's port is taken.
func TestOneControlPlaneNeedsNoVirtualAddress(t *testing.T) {
	l, err := loadText(t, "name: one\nnodes: [{name: cp, roles: [control-plane]}]\nkubernetes: {}\n")
	if err != nil || l.Kubernetes.VirtualAddress != "" {
		t.Errorf("got %q, %v", l.Kubernetes.VirtualAddress, err)
	}
	const ports = "name: one\nnodes: [{name: cp, roles: [control-plane, jenkins], memory: 4GiB}]\njenkins: {port: 8443}\nkubernetes: {%s}\n"
	if _, err := loadText(t, fmt.Sprintf(ports, "")); err != nil {
		t.Errorf("8443 on a control plane without haproxy: %v", err)
	}
	if _, err := loadText(t, fmt.Sprintf(ports, "virtual_address: 192.168.56.5")); err == nil || !strings.Contains(err.Error(), "by haproxy") {
		t.Errorf("8443 on a control plane with haproxy: %v", err)
	}
}
