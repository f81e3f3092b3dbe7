package step

import "time"

// etcdSteps: etcd on machines of its own, after https://etcd.io/docs/v3.6/op-guide/clustering/ (static) and
// https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/#external-etcd-nodes, read
// 2026-11-21.
func etcdSteps() []Step {
	return []Step{
		{
			Name: "etcd-authority", About: "the authority for etcd's certificates",
			On: firstEtcd, After: after("base"), Script: "etcd-authority.sh", Timeout: 10 * time.Minute,
			Hint: "on the node: ls /var/lib/podium/etcd-ca",
		},
		{
			Name: "etcd", About: "a member of the cluster's database",
			On: etcdMember, After: join(after("base"), everywhereAfter("etcd-authority")), Script: "etcd.sh", Vars: etcdVars, Files: etcdConfig, Inputs: memberInput,
			Services: []string{"etcd"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u etcd; cat /etc/etcd/etcd.env",
		},
		{
			Name: "etcd-ready", About: "all members of etcd are healthy",
			On: firstEtcd, After: everywhereAfter("etcd"), Script: "etcd-ready.sh", Vars: etcdMemberVars,
			Probe: "probe-etcd-ready.sh", Timeout: 5 * time.Minute,
			Hint: "on an etcd node: sudo -i etcdctl endpoint health --cluster",
		},
		{
			Name: "etcd-client", About: "the API servers' certificate for etcd",
			On: etcdClient, After: join(after("base"), everywhereAfter("etcd-authority")), Script: "etcd-client.sh", Inputs: clientInput, Timeout: 5 * time.Minute,
			Hint: "on the first etcd node: ls /var/lib/podium/etcd-ca",
		},
	}
}
