package templates

// KubeadmNode is how a node registers.
type KubeadmNode struct {
	Name      string
	CRISocket string
	TakesPods bool // a control plane without the taint that keeps ordinary pods away
}

// KubeadmInit is what kubeadm init is configured by (API kubeadm.k8s.io/v1beta4,
// https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/).
type KubeadmInit struct {
	Cluster       string
	Node          KubeadmNode
	Address       string   // of the node, in the private network
	Endpoint      string   // host:port by which every node reaches the API
	SANs          []string // names and addresses in the API server's certificate
	PodSubnet     string
	ServiceSubnet string
	OwnPodRanges  bool // nodes get their ranges of pods from podium, not from the controller manager
	Etcd          ExternalEtcd
}

// ExternalEtcd is where the API server finds the cluster's data. Without endpoints it is on the control planes.
type ExternalEtcd struct {
	Endpoints []string
	Files     string // folder of ca.crt, client.crt and client.key, with a slash at the end
}

// Render gives the configuration as YAML.
func (k KubeadmInit) Render() (string, error) { return render("kubeadm-init.yaml.tmpl", k, nil) }

// KubeadmJoin is what kubeadm join is configured by, but for how to find and trust the control plane, which the node adds.
type KubeadmJoin struct {
	Node         KubeadmNode
	ControlPlane bool
}

// Render gives the configuration as YAML.
func (k KubeadmJoin) Render() (string, error) { return render("kubeadm-join.yaml.tmpl", k, nil) }
