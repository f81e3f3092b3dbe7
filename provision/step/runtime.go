package step

import (
	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/provision/version"
)

// CRISocket is where the kubelet finds the runtime.
func CRISocket(runtime string) string {
	switch runtime {
	case lab.RuntimeDocker:
		return "unix:///run/cri-dockerd.sock"
	case lab.RuntimeCRIO:
		return "unix:///var/run/crio/crio.sock"
	default:
		return "unix:///run/containerd/containerd.sock"
	}
}

func criDockerd(c Context, _ lab.Machine) Vars {
	release := catalogue.VersionFor("cri-dockerd", c.Lab.Kubernetes.Version)
	return Vars{
		"PODIUM_CRI_DOCKERD_VERSION": release,
		"PODIUM_KUBERNETES_MINOR":    version.Minor(c.Lab.Kubernetes.Version),
	}.downloading(c, "cri-dockerd", release)
}

// crio: CRI-O has a minor version for each of Kubernetes.
func crio(c Context, _ lab.Machine) Vars {
	return Vars{"PODIUM_KUBERNETES_MINOR": catalogue.VersionFor("cri-o", c.Lab.Kubernetes.Version)}
}
