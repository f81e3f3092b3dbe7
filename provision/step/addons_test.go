package step

import (
	"slices"
	"strings"
	"testing"

	"podium/provision/lab"
)

func cluster(addons ...string) Context {
	l := lab.Lab{Network: "192.168.56.0/24", Kubernetes: &lab.Kubernetes{Version: "1.36", CNI: lab.CNIBridge, Addons: addons, MetalLB: &lab.MetalLB{}}}
	return Context{Lab: l, Machines: machines("192.168.56.10", "192.168.56.11")}
}

// Without a node of that role the first control plane is the NFS server.
func TestNFSServer(t *testing.T) {
	c := cluster(lab.AddonNFS)
	if m, ok := nfsServer(c); !ok || m.Name != "a" {
		t.Errorf("the server is %q", m.Name)
	}
	c.Machines = append(c.Machines, machines("192.168.56.12")...)
	c.Machines[2].Name, c.Machines[2].Roles = "files", []string{lab.RoleNFS}
	if m, ok := nfsServer(c); !ok || m.Name != "files" || !servesNFS(c, m) || mountsNFS(c, m) {
		t.Errorf("the server is %q, serves: %v, mounts: %v", m.Name, servesNFS(c, m), mountsNFS(c, m))
	}
}

// What will run on a node is fetched there early, and nothing else.
func TestAddonImages(t *testing.T) {
	c := cluster(lab.AddonMetalLB, lab.AddonMetricsServer, lab.AddonHelm)
	names := func(m lab.Machine) string {
		var short []string
		for _, image := range addonImages(c, m) {
			name, _, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
			short = append(short, name)
		}
		slices.Sort(short)
		return strings.Join(short, " ")
	}
	for i, want := range []string{"speaker", "controller metrics-server speaker"} {
		if got := names(c.Machines[i]); got != want {
			t.Errorf("%s fetches %q, want %q", c.Machines[i].Name, got, want)
		}
	}
	c.Machines = c.Machines[:1] // a control plane that takes pods
	if got := names(c.Machines[0]); got != "controller metrics-server speaker" {
		t.Errorf("alone it fetches %q", got)
	}
}

// Without a load balancer what wants an address gets a port of every node; control planes alone announce addresses.
func TestReachedBy(t *testing.T) {
	with, without := cluster(lab.AddonGateway, lab.AddonMetalLB), cluster(lab.AddonGateway)
	if a, b := gateway(with, with.Machines[0])["PODIUM_GATEWAY_SERVICE"], gateway(without, without.Machines[0])["PODIUM_GATEWAY_SERVICE"]; a != "default" || b != "nodeport" {
		t.Errorf("with MetalLB %q, without %q", a, b)
	}
	if got := metallb(with, with.Machines[0])["PODIUM_METALLB_ALONE"]; got != "" {
		t.Errorf("beside a worker %q announces", got)
	}
	with.Machines = with.Machines[:1]
	if got := metallb(with, with.Machines[0])["PODIUM_METALLB_ALONE"]; got != "a" {
		t.Errorf("alone %q announces", got)
	}
}
