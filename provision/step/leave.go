package step

// Leave names the scripts by which a node leaves its cluster, in this order; podium up --prune runs them. All get
// PODIUM_LEAVES, the node's name.
type Leave struct {
	Drain  string // on a control plane that stays: whether it may go, and its pods moved away
	Reset  string // on the node itself, if it still answers
	Forget string // on a control plane that stays: etcd and the API forget it
}

// Leaving is those scripts, after
// https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/create-cluster-kubeadm/#remove-the-node
// and https://etcd.io/docs/v3.6/op-guide/runtime-configuration/ (read 2026-11-21).
func Leaving() Leave {
	return Leave{Drain: "leave-drain.sh", Reset: "leave-reset.sh", Forget: "leave-forget.sh"}
}
