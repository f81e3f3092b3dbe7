package lab

// What a description can choose from. Roles and providers stand in lab.go.
const (
	RuntimeContainerd = "containerd"
	RuntimeDocker     = "docker"
	RuntimeCRIO       = "cri-o"

	CNIFlannel = "flannel"
	CNIBridge  = "bridge" // CNI's bridge plugin and a route per peer: nothing to download

	EtcdStacked = "stacked"

	SourceUpstream = "upstream"
	SourceDistro   = "distro"

	InstanceContainer = "container"
	InstanceVM        = "vm"
)

// DefaultKubernetes is the minor that a lab gets that names none: the newest one with a tested set of other versions.
const DefaultKubernetes = "1.36"

// KubernetesRelease is one minor of Kubernetes that podium installs.
type KubernetesRelease struct {
	Minor     string
	EndOfLife string // last day of support, or last month when no day is fixed
}

// KubernetesReleases lists the minors, newest first. Source: https://kubernetes.io/releases/ as of September 2026.
func KubernetesReleases() []KubernetesRelease {
	return []KubernetesRelease{
		{"1.37", "2027-10"},
		{"1.36", "2027-06"},
		{"1.35", "2027-02"},
		{"1.34", "2026-10-27"},
	}
}
