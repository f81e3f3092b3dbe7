package lab

import (
	"slices"
	"strings"

	"podium/provision/catalogue"
)

// Default fills in everything that the description leaves out, the one place where defaults stand. It changes nothing
// that is written and can be called again without effect.
func Default(l *Lab) {
	fill(&l.Provider, ProviderVirtualBox)
	fill(&l.Box, "bento/ubuntu-24.04")  // Canonical publishes no boxes from 24.04 on
	fill(&l.Network, "192.168.56.0/24") // inside 192.168.56.0/21, the range VirtualBox allows without configuration
	fill(&l.User, "vagrant")
	fill(&l.Source, SourceUpstream)
	defaultSections(l)
	for i := range l.Nodes {
		defaultNode(&l.Nodes[i])
	}
	if k := l.Kubernetes; k != nil {
		fill(&l.Runtime, RuntimeContainerd)
		fill(&k.Version, catalogue.DefaultKubernetes())
		fill(&k.CNI, CNIFlannel)
		fill(&k.PodSubnet, "10.244.0.0/16")    // flannel's own
		fill(&k.ServiceSubnet, "10.96.0.0/12") // kubeadm's own
		fill(&k.Etcd, EtcdStacked)
		fill(&k.VirtualAddress, defaultVirtualAddress(*l))
	}
	if j := l.Jenkins; j != nil {
		fill(&j.Port, 8080)
	}
	if m := l.Monitoring; m != nil {
		fill(&m.Place, PlaceMachine)
		fill(&m.Retention, "2d")
		prometheus, alertmanager, grafana := 9090, 9093, 3000
		if m.Place == PlaceCluster { // node ports, whose last digits are those of the usual ones
			prometheus, alertmanager, grafana = 30090, 30093, 30030
		}
		fill(&m.PrometheusPort, prometheus)
		fill(&m.AlertmanagerPort, alertmanager)
		fill(&m.GrafanaPort, grafana)
	}
	if c := l.Incus; c != nil {
		fill(&c.Instance, InstanceContainer)
		fill(&c.Image, "images:ubuntu/24.04")
	}
	for _, f := range mirrorFields(&l.Mirrors) {
		*f.Field = strings.TrimRight(*f.Field, "/") // scripts put /names behind it
	}
	for registry, mirror := range l.Mirrors.Registries {
		l.Mirrors.Registries[registry] = strings.TrimRight(mirror, "/")
	}
	defaultPool(l) // when it is known which addresses the machines have
	for i := range l.Steps {
		fill(&l.Steps[i].Timeout, "10m")
	}
}

// defaultSections adds the sections that need not be written: those whose role says all there is to say.
func defaultSections(l *Lab) {
	has := func(role string) bool {
		return slices.ContainsFunc(l.Nodes, func(n Node) bool { return slices.Contains(n.Roles, role) })
	}
	if l.Docker == nil && has(RoleDocker) {
		l.Docker = &Docker{}
	}
	if l.Jenkins == nil && has(RoleJenkins) {
		l.Jenkins = &Jenkins{}
	}
	if l.Incus == nil && l.Provider == ProviderIncus {
		l.Incus = &Incus{}
	}
}

// defaultNode gives a node the size that its largest role needs.
func defaultNode(n *Node) {
	cpus, memory := 1, GiB
	if slices.Contains(n.Roles, RoleControlPlane) {
		cpus = 2
	}
	for _, role := range []string{RoleControlPlane, RoleWorker, RoleDocker, RoleJenkins, RoleMonitoring} {
		if slices.Contains(n.Roles, role) {
			memory = 2 * GiB
		}
	}
	fill(&n.CPUs, cpus)
	fill(&n.Memory, memory)
}

// fill sets what is still empty.
func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// defaultPool gives MetalLB addresses that nobody else has.
func defaultPool(l *Lab) {
	if !l.HasAddon(AddonMetalLB) {
		return
	}
	if l.Kubernetes.MetalLB == nil {
		l.Kubernetes.MetalLB = &MetalLB{}
	}
	if free, ok := freePool(*l); ok {
		fill(&l.Kubernetes.MetalLB.Pool, free.String())
	}
}
