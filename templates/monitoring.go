package templates

// Prometheus is prometheus.yml (https://prometheus.io/docs/prometheus/latest/configuration/configuration/).
type Prometheus struct {
	Lab     string
	Port    int // its own
	Targets []Target
}

// Target is a node with an exporter on port 9100.
type Target struct {
	Node, Address, Roles string
}

// Render gives the configuration as YAML.
func (p Prometheus) Render() (string, error) { return render("prometheus.yml.tmpl", p, nil) }

// GrafanaDatasource provisions the data source of the dashboards
// (https://grafana.com/docs/grafana/latest/administration/provisioning/).
type GrafanaDatasource struct {
	PrometheusPort int
}

// Render gives the provisioning file as YAML.
func (g GrafanaDatasource) Render() (string, error) {
	return render("grafana-datasource.yaml.tmpl", g, nil)
}

// GrafanaDashboards says where Grafana finds the dashboards.
type GrafanaDashboards struct{}

// Render gives the provisioning file as YAML.
func (g GrafanaDashboards) Render() (string, error) {
	return render("grafana-dashboards.yaml.tmpl", g, nil)
}
