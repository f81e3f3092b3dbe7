// Package lab is the description of a lab: lab.yaml read, filled with defaults and checked.
//
// The three functions Parse, Default and Validate run in that order; Load calls all three. Data flows on from
// here and nothing later writes into a Lab.
package lab

import "net/netip"

// Lab is one lab.yaml. Fields that the file leaves out hold what Default fills in.
//
// The comments of Lab and the types in it are the descriptions in the JSON Schema, so they speak to who writes a
// lab.yaml: "without it" is the empty value.
type Lab struct {
	Name       string      `yaml:"name" jsonschema:"required"`  // name of the lab, and the first part of its machines' names
	Provider   string      `yaml:"provider"`                    // what makes the machines
	Box        string      `yaml:"box"`                         // Vagrant box to start from; incus has an image of its own
	BoxVersion string      `yaml:"box_version,omitempty"`       // exact version of the box; without it, the newest
	Network    string      `yaml:"network"`                     // private network of the machines, as CIDR
	User       string      `yaml:"user"`                        // account that podium logs in as; it needs sudo without a password
	Nodes      []Node      `yaml:"nodes" jsonschema:"required"` // the machines
	Runtime    string      `yaml:"runtime,omitempty"`           // container runtime of the cluster; only for labs with kubernetes. A cluster that is there keeps its own
	Source     string      `yaml:"source,omitempty"`            // upstream, or distro: packages of the distribution where it has them
	Kubernetes *Kubernetes `yaml:"kubernetes,omitempty"`        // cluster made by kubeadm on the nodes with the roles control-plane and worker
	Docker     *Docker     `yaml:"docker,omitempty"`            // Docker engine on the nodes with the role docker
	Jenkins    *Jenkins    `yaml:"jenkins,omitempty"`           // Jenkins on the node with the role jenkins
	Monitoring *Monitoring `yaml:"monitoring,omitempty"`        // Prometheus, Alertmanager and Grafana, on the node with the role monitoring or in the cluster
	Incus      *Incus      `yaml:"incus,omitempty"`             // what only the provider incus reads
	Mirrors    Mirrors     `yaml:"mirrors,omitempty"`           // sources of a classroom's own; each is a base URL that replaces the upstream's
	Proxy      *Proxy      `yaml:"proxy,omitempty"`             // what machines use to reach the outside
	DNS        []string    `yaml:"dns,omitempty"`               // resolvers written on every machine; without them, those it came with
	Steps      []Step      `yaml:"steps,omitempty"`             // steps of the lab's own

	Exercises []string `yaml:"exercises,omitempty"` // folders below exercises/ in the order in which a class takes them; without it, by name

	BootTimeout string `yaml:"boot_timeout,omitempty"` // how long a machine may take from its start until its SSH answers, such as 30m on a slow computer; without it, 10m
	SSHTimeout  string `yaml:"ssh_timeout,omitempty"`  // how long a node that runs may take to answer exec, copy, ssh and status, such as 1m on a slow computer; without it, 15s, and 3s in status

	Dir string `yaml:"-"` // folder of lab.yaml; script files are relative to it
}

// Node is one entry of nodes: a machine, or Count machines that differ only by number and address.
type Node struct {
	Name    string   `yaml:"name" jsonschema:"required"` // name of the machine; with count, what stands before the number
	Count   int      `yaml:"count,omitempty"`            // that many machines, NAME1 and so on; without it, one called NAME
	Roles   []string `yaml:"roles"`                      // what the machine is for; without them it is a plain one
	CPUs    int      `yaml:"cpus"`                       // virtual CPUs
	Memory  Size     `yaml:"memory"`                     // memory, such as 2GiB
	Disk    Size     `yaml:"disk,omitempty"`             // disk, such as 40GiB; without it, as large as the box makes it
	Disks   []Size   `yaml:"disks,omitempty"`            // further, empty disks, such as [10GiB]; for virtualbox and libvirt, others leave them out
	Address string   `yaml:"address,omitempty"`          // in the private network; without it, the next free one from .10; with count, that of the first
	SSH     *SSH     `yaml:"ssh,omitempty"`              // provider static only: how to reach the machine

	Forward []Forward `yaml:"forward,omitempty"` // ports of this computer that lead to the machine; for virtualbox, others leave them out
}

// Forward is a port of this computer (on 127.0.0.1) that leads to a port of a machine.
type Forward struct {
	Host  int `yaml:"host" json:"host" jsonschema:"required"`   // port of this computer, from 1024 on
	Guest int `yaml:"guest" json:"guest" jsonschema:"required"` // port of the machine
}

// SSH says how to reach a machine that exists already (provider static).
type SSH struct {
	Host string `yaml:"host,omitempty" json:"host,omitempty"` // name or address; without it, the node's address
	Port int    `yaml:"port,omitempty" json:"port,omitempty"` // without it, 22
	User string `yaml:"user,omitempty" json:"user,omitempty"` // without it, the lab's user
	Key  string `yaml:"key,omitempty" json:"key,omitempty"`   // private key file, relative to the lab's folder; without it, the agent, then the lab's own key
	Jump string `yaml:"jump,omitempty" json:"jump,omitempty"` // [user@]host[:port] to go through
}

// Kubernetes asks for a cluster made by kubeadm on the nodes with the roles control-plane and worker.
type Kubernetes struct {
	Version       string   `yaml:"version"`           // minor ("1.36": its newest patch) or exact ("1.36.2")
	CNI           string   `yaml:"cni"`               // what makes the pod network; bridge needs no download
	PodSubnet     string   `yaml:"pod_subnet"`        // network of the pods, as CIDR
	ServiceSubnet string   `yaml:"service_subnet"`    // network of the services, as CIDR
	Etcd          string   `yaml:"etcd"`              // stacked: on the control planes; external: on the nodes with the role etcd
	Addons        []string `yaml:"addons,omitempty"`  // what is installed into the cluster; ingress-nginx only for lessons about the past
	MetalLB       *MetalLB `yaml:"metallb,omitempty"` // what the add-on metallb gives away

	VirtualAddress string `yaml:"virtual_address,omitempty"` // where the API is, whichever control plane works; without it a free one, if there are several control planes
}

// MetalLB configures the add-on metallb.
type MetalLB struct {
	Pool string `yaml:"pool"` // addresses of the lab's network for Services of type LoadBalancer, such as 192.168.56.240-192.168.56.250; without it, free ones at its end
}

// Docker asks for the Docker engine on the nodes with the role docker.
type Docker struct {
	Users []string `yaml:"users,omitempty"` // accounts that may use it beside the lab's user
}

// Jenkins configures the controller on the node with the role jenkins.
type Jenkins struct {
	Port     int `yaml:"port"`               // of the web page
	Registry int `yaml:"registry,omitempty"` // port of a container registry beside it, for images that Jenkins builds and the cluster runs; without it, there is none
}

// Monitoring configures Prometheus, Alertmanager and Grafana.
type Monitoring struct {
	Place            string `yaml:"place"`             // machine: on the node with the role monitoring; cluster: as pods of the lab's cluster
	Retention        string `yaml:"retention"`         // how long Prometheus keeps what it measured, such as 2d or 12h
	PrometheusPort   int    `yaml:"prometheus_port"`   // of Prometheus's web page; with place: cluster a node port, from 30000 to 32767
	AlertmanagerPort int    `yaml:"alertmanager_port"` // of Alertmanager's web page, likewise
	GrafanaPort      int    `yaml:"grafana_port"`      // of Grafana's web page, likewise
	Grafana          *bool  `yaml:"grafana,omitempty"` // false leaves Grafana out, where it cannot be downloaded
	Webhook          string `yaml:"webhook,omitempty"` // URL that Alertmanager posts alerts to; without it, they stand on its page only
}

// HasGrafana reports whether Grafana is wanted.
func (m Monitoring) HasGrafana() bool { return m.Grafana == nil || *m.Grafana }

// Incus holds what only the incus provider reads.
type Incus struct {
	Instance string `yaml:"instance"`          // container, or vm
	Image    string `yaml:"image"`             // such as images:ubuntu/24.04, or a local alias
	Remote   string `yaml:"remote,omitempty"`  // server; without it, the client's default remote
	Pool     string `yaml:"pool,omitempty"`    // storage pool; without it, the default profile's root disk decides
	Project  string `yaml:"project,omitempty"` // without it, the client's current project
}

// Mirrors redirects the sources of the guest scripts, for a classroom behind a weak line. Each is a base URL
// that replaces the upstream's; empty means upstream. PODIUM_MIRROR_* of the caller's environment fills empty ones, then
// the user's own settings (Config) do.
type Mirrors struct {
	Apt            string            `yaml:"apt,omitempty"`             // for http://archive.ubuntu.com/ubuntu or http://deb.debian.org/debian
	AptSecurity    string            `yaml:"apt_security,omitempty"`    // for security.ubuntu.com or security.debian.org; without it, as apt (on Debian debian-security beside it)
	Kubernetes     string            `yaml:"kubernetes,omitempty"`      // for https://pkgs.k8s.io
	Docker         string            `yaml:"docker,omitempty"`          // for https://download.docker.com
	Jenkins        string            `yaml:"jenkins,omitempty"`         // for https://pkg.jenkins.io
	JenkinsUpdates string            `yaml:"jenkins_updates,omitempty"` // for https://updates.jenkins.io, Jenkins's plugins
	Adoptium       string            `yaml:"adoptium,omitempty"`        // for https://packages.adoptium.net/artifactory, Java for Jenkins on Debian 12
	Grafana        string            `yaml:"grafana,omitempty"`         // for https://apt.grafana.com
	GitHub         string            `yaml:"github,omitempty"`          // for https://github.com
	Helm           string            `yaml:"helm,omitempty"`            // for https://get.helm.sh
	CRIO           string            `yaml:"cri_o,omitempty"`           // for https://download.opensuse.org/repositories/isv:/cri-o:
	Registry       string            `yaml:"registry,omitempty"`        // one mirror for every container registry; docker (Docker knows mirrors of docker.io only): for docker.io and for what podium itself needs
	Registries     map[string]string `yaml:"registries,omitempty"`      // mirror by registry, such as docker.io; wins over registry

	Checksums map[string]string `yaml:"checksums,omitempty"` // SHA-256 of files that a mirror builds itself, by their path below github or helm; all others must be those of their makers
}

// Proxy is what nodes use to reach the outside.
type Proxy struct {
	HTTP    string   `yaml:"http,omitempty"`     // URL of the proxy for http
	HTTPS   string   `yaml:"https,omitempty"`    // URL of the proxy for https; without it, as http
	NoProxy []string `yaml:"no_proxy,omitempty"` // hosts, domains and networks reached directly, beside the lab itself
}

// Step is a step of the lab's own. A step with a built-in step's name replaces that step's script.
type Step struct {
	Name     string            `yaml:"name" jsonschema:"required"`   // name of the step; a built-in step's name replaces that step's script
	On       []string          `yaml:"on,omitempty"`                 // roles or node names; without them, every node
	After    []string          `yaml:"after,omitempty"`              // steps to wait for, built in or the lab's own; without them, base
	Script   string            `yaml:"script" jsonschema:"required"` // bash script, relative to the lab's folder
	Probe    string            `yaml:"probe,omitempty"`              // bash script, relative to the lab's folder, that is run after it until it ends well; with a built-in step's name, instead of that step's
	Files    []string          `yaml:"files,omitempty"`              // text files and folders that the script needs, relative to the lab's folder; the variable PODIUM_FILES says where they lie on the node
	Vars     map[string]string `yaml:"vars,omitempty"`               // variables of the script
	Timeout  string            `yaml:"timeout,omitempty"`            // how long it may take, such as 90s; without it, 10m
	Rehearse *bool             `yaml:"rehearse,omitempty"`           // false: the simulator cannot run it, leaves it out, and says that it was not rehearsed
}

// Machine is one node with nothing left open: what Machines makes of the entries of nodes.
type Machine struct {
	Name    string     `yaml:"name" json:"name"`
	Entry   int        `yaml:"-" json:"-"` // index into Lab.Nodes that it came from
	Roles   []string   `yaml:"roles" json:"roles"`
	CPUs    int        `yaml:"cpus" json:"cpus"`
	Memory  Size       `yaml:"memory" json:"memory"`
	Disk    Size       `yaml:"disk,omitempty" json:"disk,omitempty"`
	Disks   []Size     `yaml:"disks,omitempty" json:"disks,omitempty"`
	Forward []Forward  `yaml:"forward,omitempty" json:"forward,omitempty"`
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
	RoleEtcd         = "etcd"
	RoleDocker       = "docker"
	RoleJenkins      = "jenkins"
	RoleMonitoring   = "monitoring"
	RoleNFS          = "nfs"
)

// The providers a lab can name.
const (
	ProviderVirtualBox = "virtualbox"
	ProviderLibvirt    = "libvirt"
	ProviderIncus      = "incus"
	ProviderStatic     = "static"
	ProviderSim        = "sim"
)
