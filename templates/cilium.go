package templates

// Cilium is values of Cilium's chart (https://docs.cilium.io/en/stable/helm-reference/).
type Cilium struct {
	Host string // of the API, as every node knows it
	Port string
}

// Render gives the values as YAML.
func (c Cilium) Render() (string, error) { return render("cilium.yaml.tmpl", c, nil) }
