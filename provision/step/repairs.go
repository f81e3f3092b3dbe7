package step

import (
	"time"

	"podium/provision/lab"
)

// Repairs is the catalogue of podium repair, a table of its own: what a lab needs that was off for months. Each script
// looks first and says what is wrong (scripts/guest/lib/repair.sh); it changes something only where it is told to. A
// step with a Version runs only where an earlier one has reported another.
func Repairs() []Step {
	return []Step{
		{
			Name: "repair-machine", About: "clock, address, list of hosts, swap, container runtime",
			On: everywhere, Script: "repair-machine.sh", Timeout: 5 * time.Minute,
			Hint: "on the node: date; ip address; systemctl --failed",
		},
		{
			Name: "repair-control-plane", About: "certificates, static pods and kubeconfigs of a control plane",
			On: anyControlPlane, After: after("repair-machine"), Script: "repair-control-plane.sh", Timeout: 10 * time.Minute,
			Hint: "on the control plane: sudo kubeadm certs check-expiration; journalctl -u kubelet",
		},
		{
			Name: "repair-kubelet", About: "the kubelet's certificates",
			On: worker, After: after("repair-machine"), Script: "repair-kubelet.sh", Timeout: 5 * time.Minute,
			Hint: "on the node: journalctl -u kubelet",
		},
		{
			Name: "repair-rejoin", About: "a worker whose certificate has expired joins again",
			On: worker, After: join(after("repair-kubelet"), everywhereAfter("repair-control-plane")), Version: goodCredentials,
			Script: "repair-rejoin.sh", Vars: rejoinVars, Inputs: joinInput, Timeout: 15 * time.Minute,
			Hint: "on the node: journalctl -u kubelet",
		},
		{
			Name: "repair-cluster", About: "the API, the nodes, the cluster's own pods",
			On: firstControlPlane, After: everywhereAfter("repair-control-plane", "repair-kubelet", "repair-rejoin"),
			Script: "repair-cluster.sh", Vars: repairNodes, Timeout: 15 * time.Minute,
			Hint: "on the control plane: kubectl get nodes; kubectl get pods -A",
		},
	}
}

func anyControlPlane(c Context, m lab.Machine) bool {
	return c.Lab.Kubernetes != nil && m.HasRole(lab.RoleControlPlane)
}

func goodCredentials(Context, lab.Machine) Version {
	return Version{Facts: []string{"kubelet_credentials"}, Want: "good"}
}

// repairNodes is what the cluster has to have.
func repairNodes(c Context, m lab.Machine) Vars {
	return Vars{"PODIUM_KUBE_NODES": kubeNodes(c, m)["PODIUM_KUBE_NODES"]}
}
