// Package cluster models Kubernetes in a simulated lab: the container runtime and its tools, the kubelet, kubeadm,
// kubectl, and the cluster that comes of them.
//
// What a cluster knows lies as files below /var/lib/etcd on the disks of its control planes, so that snapshots and
// reboots treat it as they treat any file. An API server is a process that reads them when it starts and writes each
// change through. Whether a node is Ready, and what its pods do, is worked out from the node itself when somebody asks:
// a node whose kubelet has ended is NotReady at once, where a real cluster notices after 40 seconds.
package cluster

import (
	"fmt"

	"podium/provision/machine/sim/guest"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"containerd": containerd, "ctr": ctr, "crictl": crictl, "crio": crio, "cri-dockerd": criDockerd,
		"kubelet": runKubelet, "kubeadm": kubeadm, "kubectl": kubectl, "helm": helm, "linkerd": linkerd,
		"etcd": etcdProgram, "etcdctl": etcdctl,
	}
}

// version is what a program of this package says of itself; without a package's word a recent release.
func version(p *guest.Process, otherwise string) string {
	if p.Version != "" {
		return p.Version
	}
	return otherwise
}

// says is an error in the very words of a real program, with its capital letters and full stops.
type says string

func (s says) Error() string { return string(s) }

// saysf is says by a format.
func saysf(format string, args ...any) error { return says(fmt.Sprintf(format, args...)) }
