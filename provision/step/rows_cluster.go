package step

import "time"

// clusterSteps: the cluster made by kubeadm, and its pod network.
func clusterSteps() []Step {
	return []Step{
		{
			Name: "kube-packages", About: "kubelet, kubeadm and kubectl",
			On: kubernetes, After: after("base"), Script: "kube-packages.sh", Vars: kubeVersion, Timeout: 30 * time.Minute,
			Hint: "on the node: apt-cache policy kubeadm",
		},
		{
			// After kube-packages: kubeadm says which pause image containerd is to use.
			Name: "containerd", About: "container runtime",
			On: withContainerd, After: after("base", "kube-packages", "docker"), Script: "containerd.sh", Vars: containerdVars,
			Services: []string{"containerd"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u containerd; containerd config dump",
		},
		{
			Name: "kube-images", About: "images of Kubernetes fetched",
			On: kubernetes, After: after("kube-packages", "containerd", "cri-dockerd", "cri-o"), Script: "kube-images.sh", Vars: kubeImages, Timeout: 40 * time.Minute,
			Hint: "does the node reach the registry? a mirror is set under mirrors: in lab.yaml",
		},
		{
			Name: "kubeadm-init", About: "the cluster and its first control plane",
			On: firstControlPlane, After: after("kube-images", "kernel", "haproxy", "keepalived"),
			Script: "kubeadm-init.sh", Vars: initVars, Files: kubeadmInit,
			Services: []string{"kubelet"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u kubelet; sudo crictl ps -a",
		},
		{
			Name: "cni-flannel", About: "pod network: flannel on the private cards",
			On: withFlannel, After: after("kubeadm-init"), Script: "cni-flannel.sh", Vars: flannel, Probe: "probe-cni-flannel.sh", Timeout: 15 * time.Minute,
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
			On: furtherControlPlane, After: join(after("kube-images", "kernel", "haproxy", "keepalived"), everywhereAfter("kubeadm-init")), Serial: true,
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
	}
}
