package templates

// Peer is a control plane as the others see it.
type Peer struct {
	Name    string
	Address string
}

// HAProxy is haproxy.cfg of a control plane (https://docs.haproxy.org/2.6/configuration.html).
type HAProxy struct {
	Port          int    // where the API is at the virtual address
	ControlPlanes []Peer // all of them
}

// Render gives the configuration.
func (h HAProxy) Render() (string, error) { return render("haproxy.cfg.tmpl", h, nil) }

// Keepalived is keepalived.conf of a control plane (https://www.keepalived.org/manpage.html). The name of the card is
// filled in on the node.
type Keepalived struct {
	Node           string
	Address        string // in the private network
	VirtualAddress string
	RouterID       int    // 1 to 255, the same on all
	Priority       int    // 1 to 254: the highest of those that reach the API has the address
	Peers          []Peer // the other control planes
}

// Render gives the configuration.
func (k Keepalived) Render() (string, error) { return render("keepalived.conf.tmpl", k, nil) }

// CheckAPI is the script by which keepalived finds out whether its node can serve the API.
type CheckAPI struct {
	Port int // of haproxy
}

// Render gives the script.
func (c CheckAPI) Render() (string, error) { return render("check-api.tmpl", c, nil) }
