package lab

// What a description can choose from. The constants of roles and providers stand in lab.go.
const (
	RuntimeContainerd = "containerd"
	RuntimeDocker     = "docker" // the Docker engine, by cri-dockerd
	RuntimeCRIO       = "cri-o"

	CNIFlannel = "flannel"
	CNICalico  = "calico"
	CNICilium  = "cilium"
	CNIBridge  = "bridge" // CNI's bridge plugin and a route per peer: nothing to download

	EtcdStacked  = "stacked"
	EtcdExternal = "external"

	SourceUpstream = "upstream"
	SourceDistro   = "distro"

	PlaceMachine = "machine"
	PlaceCluster = "cluster"

	InstanceContainer = "container"
	InstanceVM        = "vm"
)

// Roles lists the roles a node can have.
func Roles() []string {
	return []string{RoleControlPlane, RoleWorker, RoleEtcd, RoleDocker, RoleJenkins, RoleMonitoring, RoleNFS}
}

// Providers lists the providers a lab can name.
func Providers() []string {
	return []string{ProviderVirtualBox, ProviderLibvirt, ProviderIncus, ProviderStatic, ProviderSim}
}

func runtimes() []string  { return []string{RuntimeContainerd, RuntimeDocker, RuntimeCRIO} }
func cnis() []string      { return []string{CNIFlannel, CNICalico, CNICilium, CNIBridge} }
func etcds() []string     { return []string{EtcdStacked, EtcdExternal} }
func sources() []string   { return []string{SourceUpstream, SourceDistro} }
func places() []string    { return []string{PlaceMachine, PlaceCluster} }
func instances() []string { return []string{InstanceContainer, InstanceVM} }
