package step

import "time"

// Catalogue is every step podium knows: which runs where, after what, with which script. The scripts lie in
// scripts/guest; each says in its head what it takes and gives.
func Catalogue() []Step {
	return []Step{
		{
			Name: "hosts", About: "node name and /etc/hosts",
			On: everywhere, Script: "hosts.sh", Timeout: 5 * time.Minute,
			Hint: "look at /etc/hosts on the node",
		},
		{
			Name: "base", About: "package system, swap, time, DNS, proxy",
			On: everywhere, After: after("hosts"), Script: "base.sh", Timeout: 20 * time.Minute,
			Hint: "does the node reach its package archive? try: sudo apt-get update",
		},
		{
			Name: "kernel", About: "kernel modules and settings for Kubernetes",
			On: kubernetes, After: after("base"), Script: "kernel.sh", Timeout: 5 * time.Minute,
			Hint: "lsmod | grep br_netfilter; sysctl net.ipv4.ip_forward",
		},
		{
			Name: "containerd", About: "container runtime",
			On: withContainerd, After: after("base"), Script: "containerd.sh", Timeout: 20 * time.Minute,
			Services: []string{"containerd"},
			Hint:     "journalctl -u containerd; containerd config dump",
		},
		{
			Name: "kube-packages", About: "kubelet, kubeadm and kubectl",
			On: kubernetes, After: after("containerd"), Script: "kube-packages.sh", Vars: kubeVersion, Timeout: 20 * time.Minute,
			Hint: "apt-cache policy kubeadm",
		},
		{
			Name: "kubeadm-init", About: "the first control plane",
			On: firstControlPlane, After: after("kube-packages", "kernel"), Script: "kubeadm-init.sh", Files: kubeadmInit,
			Services: []string{"kubelet"}, Timeout: 20 * time.Minute,
			Hint: "journalctl -u kubelet; crictl ps -a",
		},
		{
			Name: "cni-flannel", About: "pod network: flannel",
			On: firstControlPlaneFlannel, After: after("kubeadm-init"), Script: "cni-flannel.sh", Vars: flannel, Timeout: 10 * time.Minute,
			Hint: "kubectl -n kube-flannel get pods -o wide",
		},
		{
			Name: "kubeadm-join", About: "worker joins the cluster",
			On: worker, After: append(after("kube-packages", "kernel"), allAfter("kubeadm-init")...),
			Script: "kubeadm-join.sh", Vars: join, Inputs: joinInputs, Services: []string{"kubelet"}, Timeout: 15 * time.Minute,
			Hint: "journalctl -u kubelet; does the node reach the API? nc -vz kube-api 6443",
		},
		{
			Name: "kube-ready", About: "every node Ready",
			On: firstControlPlane, After: append(after("cni-flannel"), allAfter("kubeadm-join")...),
			Script: "kube-ready.sh", Vars: kubeNodes, Probe: "probe-kube-ready.sh", Timeout: 15 * time.Minute,
			Hint: "kubectl get nodes -o wide; kubectl -n kube-system get pods",
		},
	}
}

// after names steps that come before on the same machine.
func after(steps ...string) []After {
	list := make([]After, len(steps))
	for i, s := range steps {
		list[i] = After{Step: s}
	}
	return list
}

// allAfter names steps that come before on every machine that has them.
func allAfter(steps ...string) []After {
	list := after(steps...)
	for i := range list {
		list[i].Everywhere = true
	}
	return list
}
