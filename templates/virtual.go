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

// CheckAPI is the script by which keepalived finds out whether its node can serve the API.
type CheckAPI struct {
	Port int // of haproxy
}

// Render gives the script.
func (c CheckAPI) Render() (string, error) { return render("check-api.tmpl", c, nil) }
