package step

import "time"

// networkSteps: the pod networks that are more than a network: with policies, and a daemon on each node.
func networkSteps() []Step {
	return []Step{
		{
			Name: "cni-calico", About: "pod network: Calico on the private cards",
			On: withCalico, After: after("kubeadm-init"), Script: "cni-calico.sh", Vars: calico, Timeout: 15 * time.Minute,
			Hint: "on the control plane: kubectl --namespace kube-system get pods -l k8s-app=calico-node -o wide; after the computer has slept: kubectl --namespace kube-system rollout restart daemonset/calico-node",
		},
		{
			Name: "cni-cilium", About: "pod network: Cilium between the nodes' addresses",
			On: withCilium, After: after("kubeadm-init"), Script: "cni-cilium.sh", Vars: cilium, Files: ciliumValues, Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace kube-system get pods -l k8s-app=cilium -o wide; kubectl --namespace kube-system exec ds/cilium -- cilium-dbg status",
		},
	}
}
