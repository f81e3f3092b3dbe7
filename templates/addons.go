package templates

// MetalLBPool is the addresses that MetalLB gives to Services, announced by ARP
// (https://metallb.io/configuration/_advanced_ipaddresspool_configuration/).
type MetalLBPool struct {
	Addresses string // first and last, such as 192.168.56.240-192.168.56.250
}

// Render gives the pool and its announcement as objects of Kubernetes.
func (p MetalLBPool) Render() (string, error) { return render("metallb-pool.yaml.tmpl", p, nil) }

// NFSStorageClass is the cluster's default StorageClass, by the NFS driver
// (https://github.com/kubernetes-csi/csi-driver-nfs/blob/master/docs/driver-parameters.md).
type NFSStorageClass struct {
	Server string // address of the NFS server
	Folder string // that it exports
}

// Render gives the class as an object of Kubernetes.
func (c NFSStorageClass) Render() (string, error) {
	return render("nfs-storage-class.yaml.tmpl", c, nil)
}

// NFSProbeClaim is a claim that shows whether the default StorageClass makes volumes.
type NFSProbeClaim struct{}

// Render gives the claim as an object of Kubernetes.
func (c NFSProbeClaim) Render() (string, error) { return render("nfs-probe-claim.yaml.tmpl", c, nil) }

// Traefik serves the Gateway API, by the objects that its documentation names
// (https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-gateway/).
type Traefik struct {
	Image   string // with its tag
	Address string // of a node, whose ports lead to it; empty: a load balancer gives it an address
}

// Render gives the objects of Kubernetes.
func (t Traefik) Render() (string, error) { return render("traefik.yaml.tmpl", t, nil) }

// Headlamp is the web page of the cluster, as the project's own kubernetes-headlamp.yaml has it, but with a version, a
// port of every node, and an account to log in as (https://headlamp.dev/docs/latest/installation/in-cluster/).
type Headlamp struct {
	Image    string // with its tag
	NodePort int
}

// Render gives the objects of Kubernetes.
func (h Headlamp) Render() (string, error) { return render("headlamp.yaml.tmpl", h, nil) }
