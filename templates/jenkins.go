package templates

// Jenkins is the controller's configuration as code
// (https://github.com/jenkinsci/configuration-as-code-plugin/blob/master/README.md).
type Jenkins struct {
	Lab       string
	URL       string // by which people reach it
	Executors int    // builds at the same time
}

// Render gives the configuration as YAML.
func (j Jenkins) Render() (string, error) { return render("jenkins.yaml.tmpl", j, nil) }

// DeliveryAccount is the manifest of the service account by which Jenkins delivers to the cluster.
type DeliveryAccount struct {
	Namespace string // the only one that it may change
}

// Render gives the manifest as YAML.
func (d DeliveryAccount) Render() (string, error) {
	return render("delivery-account.yaml.tmpl", d, nil)
}
