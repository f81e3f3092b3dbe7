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
