package step

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/provision/version"
	"podium/templates"
)

// APIName is the name by which the nodes know the cluster's API; /etc/hosts gives it the first control plane's address,
// or the virtual address of several.
const APIName = "kube-api"

// apiPort is kubeadm's default.
const apiPort = "6443"

func kubeVersion(c Context, _ lab.Machine) Vars {
	wanted := c.Lab.Kubernetes.Version
	return Vars{"PODIUM_KUBERNETES_VERSION": wanted, "PODIUM_KUBERNETES_MINOR": version.Minor(wanted)}
}

// kernelVars: whether that Kubernetes runs with cgroup v1, and which kernels the pod network runs on. Nobody but the machine
// knows that of itself.
func kernelVars(c Context, _ lab.Machine) Vars {
	least := "1"
	if len(catalogue.All().Conflicts(map[string]string{"kubernetes": c.Lab.Kubernetes.Version, "cgroup": least})) > 0 {
		least = "2"
	}
	v := Vars{"PODIUM_CGROUP": least}
	if c.Lab.Kubernetes.CNI == lab.CNICilium {
		v["PODIUM_KERNEL_LEAST"] = ciliumKernel
	}
	return v
}

// containerdVars: the oldest series that goes with that Kubernetes, for the distribution's package may be any.
func containerdVars(c Context, _ lab.Machine) Vars {
	set, ok := catalogue.SetFor(c.Lab.Kubernetes.Version)
	if !ok {
		return nil // lab.Validate has refused it
	}
	return Vars{"PODIUM_CONTAINERD_LEAST": set.Containerd[0], "PODIUM_KUBERNETES_MINOR": version.Minor(c.Lab.Kubernetes.Version)}
}

func kubeRole(m lab.Machine) string {
	if m.HasRole(lab.RoleControlPlane) {
		return lab.RoleControlPlane
	}
	return lab.RoleWorker
}

func kubeImages(c Context, m lab.Machine) Vars {
	more := append(networkImages(c), addonImages(c, m)...)
	v := Vars{
		"PODIUM_KUBE_ROLE": kubeRole(m), "PODIUM_IMAGES": strings.Join(more, " "),
		// What kubeadm asks for changes with it.
		"PODIUM_KUBERNETES_VERSION": c.Lab.Kubernetes.Version,
	}
	if externalEtcd(c) {
		v["PODIUM_ETCD"] = lab.EtcdExternal
	}
	return v
}

// kubeUpgrade says which control plane begins.
func kubeUpgrade(c Context, m lab.Machine) Vars {
	v := Vars{"PODIUM_KUBERNETES_VERSION": c.Lab.Kubernetes.Version}
	if m.HasRole(lab.RoleControlPlane) {
		v["PODIUM_UPGRADE_FIRST"] = "no"
		if firstControlPlane(c, m) {
			v["PODIUM_UPGRADE_FIRST"] = "yes"
		}
	}
	return v
}

// drainInput has the first control plane move the machine's pods away.
func drainInput(c Context, m lab.Machine) []Input {
	first, _ := controlPlane(c)
	return []Input{{
		Node: first.Name, Script: "input-drain.sh",
		Vars: Vars{"PODIUM_DRAIN": m.Name, "PODIUM_KUBERNETES_VERSION": c.Lab.Kubernetes.Version},
	}}
}

func joinVars(c Context, m lab.Machine) Vars {
	return Vars{"PODIUM_JOIN_ROLE": kubeRole(m), "PODIUM_API_ENDPOINT": apiEndpoint(c)}
}

// rejoinVars: where the API is, for a kubelet that has lost what told it.
func rejoinVars(c Context, _ lab.Machine) Vars { return Vars{"PODIUM_API_ENDPOINT": apiEndpoint(c)} }

// joinInput has the first control plane make a token for the machine.
func joinInput(c Context, m lab.Machine) []Input {
	first, _ := controlPlane(c)
	return []Input{{
		Node: first.Name, Script: "input-join.sh",
		Vars: Vars{"PODIUM_JOINING": m.Name, "PODIUM_JOIN_ROLE": kubeRole(m)},
	}}
}

// kubeNodes is what the cluster has to look like in the end.
func kubeNodes(c Context, m lab.Machine) Vars {
	var nodes, workers []string
	for _, n := range c.present() {
		if !kubernetes(c, n) {
			continue
		}
		nodes = append(nodes, n.Name+" "+n.Address.String())
		if n.HasRole(lab.RoleWorker) {
			workers = append(workers, n.Name)
		}
	}
	v := Vars{"PODIUM_KUBE_NODES": strings.Join(nodes, "\n"), "PODIUM_KUBE_WORKERS": strings.Join(workers, " ")}
	if c.Lab.Kubernetes.CNI == lab.CNIBridge {
		v["PODIUM_POD_RANGES"] = podRanges(c, m)["PODIUM_POD_RANGES"]
	}
	return v
}

func flannel(c Context, _ lab.Machine) Vars {
	release := catalogue.VersionFor("flannel", c.Lab.Kubernetes.Version)
	return Vars{
		"PODIUM_POD_SUBNET":      c.Lab.Kubernetes.PodSubnet,
		"PODIUM_FLANNEL_VERSION": release,
		"PODIUM_FLANNEL_REACH":   freeAddress(c),
	}.downloading(c, "flannel", release)
}

// freeAddress is the last address of the lab's network that no machine has, nor several in turn. A node reaches it by its private card;
// its own address it would reach by the loopback interface.
func freeAddress(c Context) string {
	network, err := netip.ParsePrefix(c.Lab.Network)
	if err != nil || !network.Addr().Is4() {
		return "" // lab.Validate has refused it
	}
	b := network.Masked().Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])|(1<<(32-network.Bits())-1))
	address := netip.AddrFrom4(b).Prev() // the very last is the broadcast address
	taken := func(m lab.Machine) bool { return m.Address == address }
	for slices.ContainsFunc(c.Machines, taken) || address.String() == virtualAddress(c) {
		address = address.Prev()
	}
	return address.String()
}

// podRanges is which pods are where, for every node alike.
func podRanges(c Context, _ lab.Machine) Vars {
	var lines []string
	for _, m := range c.Machines {
		if r, ok := podRange(c, m); ok && kubernetes(c, m) {
			lines = append(lines, r+" "+m.Address.String()+" "+m.Name)
		}
	}
	return Vars{"PODIUM_POD_SUBNET": c.Lab.Kubernetes.PodSubnet, "PODIUM_POD_RANGES": strings.Join(lines, "\n")}
}

// podRange is false where lab.Validate refuses the networks.
func podRange(c Context, m lab.Machine) (string, bool) {
	network, _ := netip.ParsePrefix(c.Lab.Network)
	pods, _ := netip.ParsePrefix(c.Lab.Kubernetes.PodSubnet)
	r, err := lab.PodRange(network, pods, m.Address)
	return r.String(), err == nil
}

func bridgeConfig(c Context, m lab.Machine) []File {
	pods, _ := podRange(c, m)
	return []File{file("cni-bridge.conflist", 0o644, templates.BridgeNetwork{Name: c.Lab.Name, Pods: pods})}
}

func kubeadmInit(c Context, m lab.Machine) []File {
	k := c.Lab.Kubernetes
	return []File{file("kubeadm-init.yaml", 0o644, templates.KubeadmInit{
		Cluster: c.Lab.Name, Node: kubeadmNode(c, m), Address: m.Address.String(),
		Endpoint:  apiEndpoint(c),
		SANs:      apiNames(c, m),
		PodSubnet: k.PodSubnet, ServiceSubnet: k.ServiceSubnet,
		OwnPodRanges: k.CNI == lab.CNIBridge,
		Etcd:         templates.ExternalEtcd{Endpoints: etcdEndpoints(c), Files: etcdFiles},
	})}
}

// apiNames are the names and addresses in the API server's certificate, beside those that kubeadm puts there.
func apiNames(c Context, m lab.Machine) []string {
	names := []string{APIName, m.Name, m.Address.String(), "localhost", "127.0.0.1"}
	if address := virtualAddress(c); address != "" {
		names = append(names, address)
	}
	return names
}

func kubeadmJoin(c Context, m lab.Machine) []File {
	return []File{file("kubeadm-join.yaml", 0o644, templates.KubeadmJoin{
		Node: kubeadmNode(c, m), ControlPlane: m.HasRole(lab.RoleControlPlane),
	})}
}

// kubeadmNode is how the machine registers. A control plane takes pods only if it is a worker too, or if nobody else is.
func kubeadmNode(c Context, m lab.Machine) templates.KubeadmNode {
	workers := slices.ContainsFunc(c.Machines, func(n lab.Machine) bool { return n.HasRole(lab.RoleWorker) })
	return templates.KubeadmNode{
		Name: m.Name, CRISocket: CRISocket(c.Lab.Runtime),
		TakesPods: m.HasRole(lab.RoleWorker) || !workers,
	}
}
