package templates

// BridgeNetwork is the CNI configuration of one node with cni: bridge (https://www.cni.dev/plugins/current/).
type BridgeNetwork struct {
	Name string // of the network
	Pods string // CIDR: the node's range of pod addresses
}

// Render gives the configuration as a conflist.
func (b BridgeNetwork) Render() (string, error) { return render("cni-bridge.conflist.tmpl", b, nil) }
