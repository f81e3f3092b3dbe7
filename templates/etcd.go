package templates

// Etcd is the settings of one member of external etcd.
type Etcd struct {
	Name    string
	Address string // in the private network
}

// Render gives the settings as environment variables.
func (e Etcd) Render() (string, error) { return render("etcd.env.tmpl", e, nil) }

// EtcdBootstrap is how a member that has no data finds the others. Whether it begins the cluster with them or comes to
// one that is there, the node adds.
type EtcdBootstrap struct {
	Lab     string
	Address string // of this member
	Members []Peer // all of them, this one included
}

// Render gives the settings as environment variables.
func (e EtcdBootstrap) Render() (string, error) { return render("etcd-bootstrap.env.tmpl", e, nil) }
