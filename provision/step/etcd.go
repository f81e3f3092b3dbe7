package step

import (
	"strings"

	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/templates"
)

// etcdFiles is where a control plane has its certificates for external etcd.
const etcdFiles = "/etc/kubernetes/etcd/"

func externalEtcd(c Context) bool {
	return c.Lab.Kubernetes != nil && c.Lab.Kubernetes.Etcd == lab.EtcdExternal
}

// etcdMember: the machines that keep the cluster's data, where the control planes do not.
func etcdMember(c Context, m lab.Machine) bool { return externalEtcd(c) && m.HasRole(lab.RoleEtcd) }

// firstEtcd: the first of them has the authority that signs etcd's certificates.
func firstEtcd(c Context, m lab.Machine) bool {
	members := etcdMembers(c)
	return len(members) > 0 && members[0].Name == m.Name
}

// etcdClient: the control plane that makes the cluster.
func etcdClient(c Context, m lab.Machine) bool { return externalEtcd(c) && firstControlPlane(c, m) }

func etcdMembers(c Context) []lab.Machine {
	var list []lab.Machine
	for _, m := range c.Machines {
		if etcdMember(c, m) {
			list = append(list, m)
		}
	}
	return list
}

func etcdLines(c Context) string {
	var lines []string
	for _, m := range etcdMembers(c) {
		lines = append(lines, m.Name+" "+m.Address.String())
	}
	return strings.Join(lines, "\n")
}

func etcdVars(c Context, _ lab.Machine) Vars {
	release := catalogue.VersionFor("etcd", c.Lab.Kubernetes.Version)
	return Vars{"PODIUM_ETCD_VERSION": release, "PODIUM_ETCD_MEMBERS": etcdLines(c)}.downloading(c, "etcd", release)
}

func etcdMemberVars(c Context, _ lab.Machine) Vars { return Vars{"PODIUM_ETCD_MEMBERS": etcdLines(c)} }

func etcdConfig(c Context, m lab.Machine) []File {
	bootstrap := templates.EtcdBootstrap{Lab: c.Lab.Name, Address: m.Address.String()}
	for _, other := range etcdMembers(c) {
		bootstrap.Members = append(bootstrap.Members, templates.Peer{Name: other.Name, Address: other.Address.String()})
	}
	return []File{
		file("etcd", 0o644, templates.Etcd{Name: m.Name, Address: m.Address.String()}),
		file("etcd-bootstrap", 0o644, bootstrap),
	}
}

// memberInput has the first etcd node make the certificates of a member.
func memberInput(c Context, m lab.Machine) []Input { return etcdInput(c, m.Name, m.Address.String()) }

// clientInput has it make the certificate that API servers show.
func clientInput(c Context, m lab.Machine) []Input { return etcdInput(c, m.Name, "") }

func etcdInput(c Context, name, address string) []Input {
	return []Input{{
		Node: etcdMembers(c)[0].Name, Script: "input-etcd.sh",
		Vars: Vars{"PODIUM_ETCD_FOR": name, "PODIUM_ETCD_ADDRESS": address},
	}}
}

// EtcdVersion is the version of external etcd among a node's facts, such as 3.6.8; empty: it has none.
func EtcdVersion(facts map[string]string) string { return facts["etcd_version"] }

// etcdEndpoints is where the API servers find external etcd.
func etcdEndpoints(c Context) []string {
	var list []string
	for _, m := range etcdMembers(c) {
		list = append(list, "https://"+m.Address.String()+":2379")
	}
	return list
}
