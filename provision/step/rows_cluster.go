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
			On: firstControlPlane, After: join(after("kube-images", "kernel", "haproxy", "keepalived", "etcd-client"), everywhereAfter("etcd-ready")),
			Script: "kubeadm-init.sh", Vars: initVars, Files: kubeadmInit,
			Services: []string{"kubelet"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u kubelet; sudo crictl ps -a",
		},
		// The upgrade of a cluster, after
		// https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/ (read 2026-11-21): the first control
		// plane, the further ones, then the workers, one at a time. What does not disturb the cluster has been done on all
		// nodes at once before that: kubeadm and the images are there. A node that joins has the new version already.
		{
			Name: "kube-upgrade", About: "an older cluster upgraded: its first control plane",
			On: firstControlPlane, After: after("kubeadm-init"), Version: memberVersion,
			Script: "kube-upgrade-control-plane.sh", Vars: kubeUpgrade, Timeout: 45 * time.Minute,
			Hint: "on the control plane: journalctl -u kubelet; kubectl get pods -A; podium up goes on from here",
		},
		{
			Name: "kube-upgrade-control-plane", About: "an older cluster upgraded: a further control plane",
			On: furtherControlPlane, After: join(after("kubeadm-join-control-plane"), everywhereAfter("kube-upgrade")), Serial: true, Version: memberVersion,
			Script: "kube-upgrade-control-plane.sh", Vars: kubeUpgrade, Timeout: 45 * time.Minute,
			Hint: "on the control plane: journalctl -u kubelet; kubectl get pods -A; podium up goes on from here",
		},
		{
			Name: "kube-upgrade-worker", About: "an older cluster upgraded: a worker",
			On: worker, After: join(after("kubeadm-join"), everywhereAfter("kube-upgrade", "kube-upgrade-control-plane")), Serial: true, Version: memberVersion,
			Script: "kube-upgrade-worker.sh", Vars: kubeUpgrade, Inputs: drainInput, Timeout: 45 * time.Minute,
			Hint: "on the control plane: kubectl describe node; on the node: journalctl -u kubelet; podium up goes on from here",
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
			On: furtherControlPlane, After: join(after("kube-images", "kernel", "haproxy", "keepalived"), everywhereAfter("kubeadm-init", "kube-upgrade")), Serial: true,
			Script: "kubeadm-join.sh", Vars: joinVars, Files: kubeadmJoin, Inputs: joinInput, Probe: "probe-kubeadm-join.sh",
			Services: []string{"kubelet"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u kubelet; does it reach https://" + APIName + " (port 6443; with a virtual address 8443)?",
		},
		{
			Name: "kubeadm-join", About: "a worker joins the cluster",
			On: worker, After: join(after("kube-images", "kernel"), everywhereAfter("kubeadm-init", "kube-upgrade")),
			Script: "kubeadm-join.sh", Vars: joinVars, Files: kubeadmJoin, Inputs: joinInput, Probe: "probe-kubeadm-join.sh",
			Services: []string{"kubelet"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u kubelet; does it reach https://" + APIName + " (port 6443; with a virtual address 8443)?",
		},
		{
			Name: "kube-ready", About: "every node Ready at its private address",
			On: firstControlPlane, After: join(after("kubeadm-init", "cni-flannel", "cni-calico", "cni-cilium"), everywhereAfter("cni-bridge", "kubeadm-join-control-plane", "kubeadm-join", "kube-upgrade-worker")),
			Script: "kube-ready.sh", Vars: kubeNodes, Probe: "probe-kube-ready.sh", Timeout: 15 * time.Minute,
			Hint: "on the control plane: kubectl get nodes -o wide; kubectl get pods -A",
		},
	}
}
