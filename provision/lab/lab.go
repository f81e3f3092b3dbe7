// Package lab is the description of a lab: lab.yaml read, filled with defaults and checked.
//
// The three functions Parse, Default and Validate run in that order; Load calls all three. Data flows on from
// here and nothing later writes into a Lab.
package lab

import "net/netip"

// Lab is one lab.yaml. Fields that the file leaves out hold what Default fills in.
type Lab struct {
	Name       string      `yaml:"name"`
	Provider   string      `yaml:"provider"`              // virtualbox, libvirt, incus, static or sim
	Box        string      `yaml:"box"`                   // Vagrant box; the incus provider has an image of its own
	BoxVersion string      `yaml:"box_version,omitempty"` // empty: the newest
	Network    string      `yaml:"network"`               // CIDR of the private network, such as 192.168.56.0/24
	User       string      `yaml:"user"`                  // account that podium logs in as; it needs sudo without a password
	Nodes      []Node      `yaml:"nodes"`
	Runtime    string      `yaml:"runtime,omitempty"` // containerd, docker or cri-o; only labs with kubernetes have one
	Source     string      `yaml:"source,omitempty"`  // upstream, or distro: packages of the distribution where it has them
	Kubernetes *Kubernetes `yaml:"kubernetes,omitempty"`
	Docker     *Docker     `yaml:"docker,omitempty"`
	Jenkins    *Jenkins    `yaml:"jenkins,omitempty"`
	Monitoring *Monitoring `yaml:"monitoring,omitempty"`
	Incus      *Incus      `yaml:"incus,omitempty"`
	Mirrors    Mirrors     `yaml:"mirrors,omitempty"`
	Proxy      *Proxy      `yaml:"proxy,omitempty"`
	DNS        []string    `yaml:"dns,omitempty"` // resolvers written on every node; empty: those the machine came with
	Steps      []Step      `yaml:"steps,omitempty"`

	Dir string `yaml:"-"` // folder of lab.yaml; script files are relative to it
}

// Node is one entry of nodes: a machine, or Count machines that differ only by number and address.
type Node struct {
	Name    string   `yaml:"name"`
	Count   int      `yaml:"count,omitempty"` // 0: one machine called Name; n: Name1 to Namen
	Roles   []string `yaml:"roles"`
	CPUs    int      `yaml:"cpus"`
	Memory  Size     `yaml:"memory"`
	Disk    Size     `yaml:"disk,omitempty"`    // 0: as large as the box makes it
	Address string   `yaml:"address,omitempty"` // empty: the next free one from .10; with Count, that of the first
	SSH     *SSH     `yaml:"ssh,omitempty"`     // provider static only: how to reach the machine
}

// SSH says how to reach a machine that exists already (provider static).
type SSH struct {
	Host string `yaml:"host,omitempty"` // empty: the node's address
	Port int    `yaml:"port,omitempty"` // 0: 22
	User string `yaml:"user,omitempty"` // empty: the lab's user
	Key  string `yaml:"key,omitempty"`  // private key file, relative to the lab's folder; empty: the agent, then the lab's own key
	Jump string `yaml:"jump,omitempty"` // [user@]host[:port] to go through
}

// Kubernetes asks for a cluster made by kubeadm on the nodes with the roles control-plane and worker.
type Kubernetes struct {
	Version       string   `yaml:"version"` // minor ("1.36") or exact ("1.36.2")
	CNI           string   `yaml:"cni"`     // flannel or bridge
	PodSubnet     string   `yaml:"pod_subnet"`
	ServiceSubnet string   `yaml:"service_subnet"`
	Etcd          string   `yaml:"etcd"` // stacked
	Addons        []string `yaml:"addons,omitempty"`
}

// Docker asks for the Docker engine on the nodes with the role docker.
type Docker struct {
	Users []string `yaml:"users,omitempty"` // accounts added to the group docker beside the lab's user
}

// Jenkins configures the controller on the node with the role jenkins.
type Jenkins struct {
	Port int `yaml:"port"`
}

// Monitoring configures Prometheus and Grafana on the node with the role monitoring.
type Monitoring struct {
	Retention      string `yaml:"retention"` // Prometheus duration, such as 2d
	PrometheusPort int    `yaml:"prometheus_port"`
	GrafanaPort    int    `yaml:"grafana_port"`
	Grafana        *bool  `yaml:"grafana,omitempty"` // nil: true; false leaves Grafana out where it cannot be downloaded
}

// Incus holds what only the incus provider reads.
type Incus struct {
	Instance string `yaml:"instance"`          // container or vm
	Image    string `yaml:"image"`             // images:ubuntu/24.04 or a local alias
	Remote   string `yaml:"remote,omitempty"`  // empty: the client's default remote
	Pool     string `yaml:"pool,omitempty"`    // empty: the default profile's root disk decides
	Project  string `yaml:"project,omitempty"` // empty: the client's current project
}

// Mirrors redirects the sources of the guest scripts, for a classroom behind a weak line. Each is a base URL
// that replaces the upstream's; empty means upstream. PODIUM_MIRROR_* of the caller's environment fills empty ones.
type Mirrors struct {
	Apt         string            `yaml:"apt,omitempty"`          // http://archive.ubuntu.com/ubuntu, http://deb.debian.org/debian
	AptSecurity string            `yaml:"apt_security,omitempty"` // security.ubuntu.com, security.debian.org; empty: as apt
	Kubernetes  string            `yaml:"kubernetes,omitempty"`   // https://pkgs.k8s.io
	Docker      string            `yaml:"docker,omitempty"`       // https://download.docker.com
	Jenkins     string            `yaml:"jenkins,omitempty"`      // https://pkg.jenkins.io
	Grafana     string            `yaml:"grafana,omitempty"`      // https://apt.grafana.com
	GitHub      string            `yaml:"github,omitempty"`       // https://github.com
	Registry    string            `yaml:"registry,omitempty"`     // one mirror for every container registry
	Registries  map[string]string `yaml:"registries,omitempty"`   // mirror by registry, such as docker.io; wins over Registry
}

// Proxy is what nodes use to reach the outside.
type Proxy struct {
	HTTP    string   `yaml:"http,omitempty"`
	HTTPS   string   `yaml:"https,omitempty"` // empty: as http
	NoProxy []string `yaml:"no_proxy,omitempty"`
}

// Step is a step of the lab's own. A step with a built-in step's name replaces that step's script.
type Step struct {
	Name    string            `yaml:"name"`
	On      []string          `yaml:"on"`              // roles or node names; empty: every node
	After   []string          `yaml:"after,omitempty"` // steps, built in or the lab's own; empty: after base
	Script  string            `yaml:"script"`          // file relative to the lab's folder
	Vars    map[string]string `yaml:"vars,omitempty"`
	Timeout string            `yaml:"timeout,omitempty"` // Go duration; empty: 10m
}

// Machine is one node with nothing left open: what Machines makes of the entries of nodes.
type Machine struct {
	Name    string     `yaml:"name" json:"name"`
	Entry   int        `yaml:"-" json:"-"` // index into Lab.Nodes that it came from
	Roles   []string   `yaml:"roles" json:"roles"`
	CPUs    int        `yaml:"cpus" json:"cpus"`
	Memory  Size       `yaml:"memory" json:"memory"`
	Disk    Size       `yaml:"disk,omitempty" json:"disk,omitempty"`
	Address netip.Addr `yaml:"address" json:"address"` // in the lab's private network
	SSH     *SSH       `yaml:"ssh,omitempty" json:"ssh,omitempty"`
}

// HasRole reports whether the machine has the role.
func (m Machine) HasRole(role string) bool {
	for _, r := range m.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// The roles a node can have.
const (
	RoleControlPlane = "control-plane"
	RoleWorker       = "worker"
	RoleDocker       = "docker"
	RoleJenkins      = "jenkins"
	RoleMonitoring   = "monitoring"
)

// The providers a lab can name.
const (
	ProviderVirtualBox = "virtualbox"
	ProviderLibvirt    = "libvirt"
	ProviderIncus      = "incus"
	ProviderStatic     = "static"
	ProviderSim        = "sim"
)
