package step

import "time"

// Catalogue is every step podium knows: which runs where, after what, with which script. The scripts lie in
// scripts/guest; each says in its head what it takes and gives, and takes in files of lib/ by lines of plain bash that
// Text replaces by the files' text, so that what arrives on a node is one file that runs alone. Where the software comes
// from, and from which page podium knows it, stands in package source.
//
// Package work on one machine is not chained beyond what its order needs: apt-get calls of steps that run side by side
// wait for each other (lib/apt.sh).
func Catalogue() []Step {
	return []Step{
		{
			Name: "hosts", About: "the nodes' names and addresses",
			On: everywhere, Script: "hosts.sh", Timeout: 5 * time.Minute,
			Hint: "on the node: cat /etc/hosts",
		},
		{
			Name: "base", About: "package sources, proxy, resolvers, clock",
			On: everywhere, After: after("hosts"), Script: "base.sh", Timeout: 30 * time.Minute,
			Hint: "does the node reach its package archive? on the node: sudo apt-get update",
		},
		{
			Name: "kernel", About: "swap off, kernel modules and settings for Kubernetes",
			On: kubernetes, After: after("base"), Script: "kernel.sh", Timeout: 5 * time.Minute,
			Hint: "on the node: swapon; lsmod; sysctl net.ipv4.ip_forward",
		},
		{
			Name: "docker", About: "Docker engine, buildx and compose",
			On: docker, After: after("base"), Script: "docker.sh", Vars: dockerVars, Probe: "probe-docker.sh",
			Services: []string{"docker"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u docker",
		},
		{
			Name: "kube-packages", About: "kubelet, kubeadm and kubectl",
			On: kubernetes, After: after("base"), Script: "kube-packages.sh", Vars: kubeVersion, Timeout: 30 * time.Minute,
			Hint: "on the node: apt-cache policy kubeadm",
		},
		{
			// After kube-packages: kubeadm says which pause image containerd is to use.
			Name: "containerd", About: "container runtime",
			On: withContainerd, After: after("base", "kube-packages", "docker"), Script: "containerd.sh",
			Services: []string{"containerd"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u containerd; containerd config dump",
		},
		{
			Name: "kube-images", About: "images of Kubernetes fetched",
			On: kubernetes, After: after("kube-packages", "containerd"), Script: "kube-images.sh", Vars: kubeImages, Timeout: 40 * time.Minute,
			Hint: "does the node reach the registry? a mirror is set under mirrors: in lab.yaml",
		},
		{
			Name: "kubeadm-init", About: "the cluster and its first control plane",
			On: firstControlPlane, After: after("kube-images", "kernel"), Script: "kubeadm-init.sh", Files: kubeadmInit,
			Services: []string{"kubelet"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u kubelet; sudo crictl ps -a",
		},
		{
			Name: "cni-flannel", About: "pod network: flannel on the private cards",
			On: withFlannel, After: after("kubeadm-init"), Script: "cni-flannel.sh", Vars: flannel, Timeout: 15 * time.Minute,
			Hint: "on the control plane: kubectl --namespace kube-flannel get pods -o wide",
		},
		{
			Name: "cni-bridge", About: "pod network: a bridge, and a route per peer",
			On: withBridge, After: after("kube-packages", "kernel"), Script: "cni-bridge.sh", Vars: podRanges, Files: bridgeConfig,
			Services: []string{"podium-pod-network"}, Timeout: 15 * time.Minute,
			Hint: "on the node: ip route; systemctl status podium-pod-network",
		},
		{
			// One by one: etcd takes a new member only while most of those it has are up.
			Name: "kubeadm-join-control-plane", About: "a further control plane",
			On: furtherControlPlane, After: join(after("kube-images", "kernel"), everywhereAfter("kubeadm-init")), Serial: true,
			Script: "kubeadm-join.sh", Vars: joinRole, Files: kubeadmJoin, Inputs: joinInput, Probe: "probe-kubeadm-join.sh",
			Services: []string{"kubelet"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u kubelet; does it reach https://" + APIName + ":" + apiPort + "?",
		},
		{
			Name: "kubeadm-join", About: "a worker joins the cluster",
			On: worker, After: join(after("kube-images", "kernel"), everywhereAfter("kubeadm-init")),
			Script: "kubeadm-join.sh", Vars: joinRole, Files: kubeadmJoin, Inputs: joinInput, Probe: "probe-kubeadm-join.sh",
			Services: []string{"kubelet"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u kubelet; does it reach https://" + APIName + ":" + apiPort + "?",
		},
		{
			Name: "kube-ready", About: "every node Ready at its private address",
			On: firstControlPlane, After: join(after("cni-flannel"), everywhereAfter("cni-bridge", "kubeadm-join-control-plane", "kubeadm-join")),
			Script: "kube-ready.sh", Vars: kubeNodes, Probe: "probe-kube-ready.sh", Timeout: 15 * time.Minute,
			Hint: "on the control plane: kubectl get nodes -o wide; kubectl get pods -A",
		},
		{
			Name: "node-exporter", About: "the node's measurements for Prometheus",
			On: monitored, After: after("base", "kube-images"), Script: "node-exporter.sh", Vars: nodeExporter, Probe: "probe-node-exporter.sh",
			Services: []string{"prometheus-node-exporter"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u prometheus-node-exporter",
		},
		{
			Name: "prometheus", About: "Prometheus with every node as a target",
			On: monitoring, After: after("base"), Script: "prometheus.sh", Vars: prometheus, Files: prometheusConfig, Probe: "probe-prometheus.sh",
			Services: []string{"prometheus"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u prometheus",
		},
		{
			Name: "grafana", About: "Grafana with a dashboard of all nodes",
			On: withGrafana, After: after("base"), Script: "grafana.sh", Vars: grafana, Files: grafanaConfig, Probe: "probe-grafana.sh",
			Services: []string{"grafana-server"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u grafana-server",
		},
		{
			Name: "monitoring-ready", About: "Prometheus has reached every node",
			On: monitoring, After: join(after("prometheus"), everywhereAfter("node-exporter")),
			Script: "monitoring-ready.sh", Vars: targets, Probe: "probe-monitoring-ready.sh", Timeout: 5 * time.Minute,
			Hint: "in a browser: Prometheus, Status, Target health",
		},
		{
			Name: "jenkins", About: "Jenkins controller",
			On: jenkins, After: after("base"), Script: "jenkins.sh", Vars: jenkinsVars, Probe: "probe-jenkins.sh",
			Services: []string{"jenkins"}, Timeout: 40 * time.Minute,
			Hint: "on the node: journalctl -u jenkins",
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

// everywhereAfter names steps that come before on every machine that has them.
func everywhereAfter(steps ...string) []After {
	list := after(steps...)
	for i := range list {
		list[i].Everywhere = true
	}
	return list
}

func join(lists ...[]After) []After {
	var all []After
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
