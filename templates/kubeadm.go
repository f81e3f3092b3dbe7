package templates

// KubeadmInit is what kubeadm init is configured by. The text keeps @KUBERNETES_VERSION@ for the node to fill in with
// the version of its kubeadm, so that kubeadm does not ask the internet for one.
type KubeadmInit struct {
	Cluster       string
	Node          string
	Address       string   // of the node, in the private network
	Endpoint      string   // host:port by which every node reaches the API
	SANs          []string // names and addresses in the API server's certificate
	PodSubnet     string
	ServiceSubnet string
	CRISocket     string
}

// Render gives the configuration as YAML.
func (k KubeadmInit) Render() (string, error) { return render("kubeadm-init.yaml.tmpl", k, nil) }
