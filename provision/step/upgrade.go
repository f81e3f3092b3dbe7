package step

import (
	"cmp"
	"fmt"

	"podium/provision/lab"
	"podium/provision/version"
)

// Facts by which a node of the cluster says which version its kubelet has: as an upgrade has left it, and as it joined.
const (
	factUpgraded = "upgraded_version"
	factJoined   = "joined_version"
)

// MemberVersion is the version of Kubernetes among a node's facts, such as 1.36.2; empty: it is in no cluster.
func MemberVersion(facts map[string]string) string {
	return cmp.Or(facts[factUpgraded], facts[factJoined])
}

func memberVersion(c Context, _ lab.Machine) Version {
	return Version{Facts: []string{factUpgraded, factJoined}, Want: c.Lab.Kubernetes.Version}
}

// Way is how a node gets from one version of Kubernetes to another.
type Way int

// The ways there are.
const (
	Stay    Way = iota // it has that version
	Forward            // by kubeadm upgrade
)

// Upgrade says how a node of a cluster gets from the version it has (1.36.2) to the one the description wants (1.36 or
// 1.36.5). kubeadm goes forward only, and skips no minor version:
// https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/ (read 2026-11-21). The error begins with
// the version that is there, and says what to do.
func Upgrade(has, want string) (Way, error) {
	from, err := version.Parse(has)
	if err != nil {
		return Stay, err
	}
	to, err := version.Parse(want)
	if err != nil {
		return Stay, err
	}
	// A description that names no patch takes the one that is there.
	exact := len(to) == 3
	if !exact {
		to = append(to, 0)
		if from[1] == to[1] {
			to[2] = from[2]
		}
	}
	switch {
	case from[0] != to[0]:
		return Stay, fmt.Errorf("%s, lab.yaml asks for %s: podium cannot upgrade that; run podium destroy, then podium up", has, want)
	case to[1] > from[1]+1:
		next := fmt.Sprintf("%d.%d", from[0], from[1]+1)
		return Stay, fmt.Errorf("%s, lab.yaml asks for %s: an upgrade goes one minor version at a time: write version: %q, run podium up, then the next one",
			has, want, next)
	case to[1] < from[1], to[1] == from[1] && to[2] < from[2]:
		return Stay, fmt.Errorf("%s, lab.yaml asks for %s: a cluster cannot go back: write version: %q, or run podium destroy, then podium up", has, want, has)
	case to[1] == from[1] && to[2] == from[2]:
		return Stay, nil
	}
	return Forward, nil
}
