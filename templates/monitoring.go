package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"text/template"
)

// Prometheus is prometheus.yml (https://prometheus.io/docs/prometheus/latest/configuration/configuration/). Jobs end it,
// so that PrometheusCluster can be put behind.
type Prometheus struct {
	Lab          string
	Port         int    // its own
	Alertmanager string // host:port
	Targets      []Target
	Jenkins      *Target // with its port; nil: none
}

// Target is a node: one with an exporter on port 9100, or one of the cluster.
type Target struct {
	Node, Address, Roles string
}

// Render gives the configuration as YAML.
func (p Prometheus) Render() (string, error) { return render("prometheus.yml.tmpl", p, nil) }

// PrometheusCluster is the jobs that ask a cluster for its measurements
// (https://kubernetes.io/docs/concepts/cluster-administration/system-metrics/).
type PrometheusCluster struct {
	InCluster     bool   // Prometheus is a pod of that cluster
	API           string // host:port of the API server
	Token         string // files, where Prometheus runs: its token,
	CA            string // the cluster's authority,
	KubeletCAs    string // and the kubelets' own
	ControlPlanes []Target
	Nodes         []Target // those with a kubelet
	Etcd          []Target
}

// Render gives the jobs as the rest of a list in YAML.
func (p PrometheusCluster) Render() (string, error) {
	return render("prometheus-cluster.yml.tmpl", p, nil)
}

// PrometheusRules is the alerts of every lab (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/).
type PrometheusRules struct{}

// Render gives the rules as YAML: the file as it lies here, whose braces are Prometheus's.
func (PrometheusRules) Render() (string, error) {
	text, err := files.ReadFile("prometheus-rules.yml")
	return string(text), err
}

// Alertmanager is alertmanager.yml (https://prometheus.io/docs/alerting/latest/configuration/).
type Alertmanager struct {
	Webhook string // URL; empty: alerts are shown and not sent
}

// Render gives the configuration as YAML.
func (a Alertmanager) Render() (string, error) { return render("alertmanager.yml.tmpl", a, nil) }

// ClusterMetrics is the manifest of kube-state-metrics and of Prometheus's rights in the cluster.
type ClusterMetrics struct {
	InCluster    bool   // Prometheus is a pod of that cluster
	StateMetrics string // image
}

// Render gives the manifest as YAML.
func (c ClusterMetrics) Render() (string, error) { return render("cluster-metrics.yaml.tmpl", c, nil) }

// ClusterMonitoring is the manifest of Prometheus, Alertmanager, Grafana and the nodes' exporters as pods. The rights that
// they need are ClusterMetrics.
type ClusterMonitoring struct {
	Images struct{ Prometheus, Alertmanager, Grafana, NodeExporter string } // no Grafana: it is left out
	Ports  struct{ Prometheus, Alertmanager, Grafana int }                  // node ports
	// PrometheusURL and AlertmanagerURL are where people find them, for links in alerts; GrafanaURL likewise.
	PrometheusURL, AlertmanagerURL, GrafanaURL string

	Retention string
	Nodes     []Target // names that the pods must know
	Config    string   // prometheus.yml
	Rules     string
	Alerts    string // alertmanager.yml
	// Datasources, Dashboards and the JSON of each dashboard by file name, for Grafana.
	Datasources, Dashboards string
	Boards                  map[string]string
}

// Checksum changes with the configuration, so that pods restart with it.
func (c ClusterMonitoring) Checksum() string {
	h := sha256.New()
	for _, text := range []string{c.Config, c.Rules, c.Alerts, c.Datasources, c.Dashboards} {
		h.Write([]byte(text))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Render gives the manifest as YAML.
func (c ClusterMonitoring) Render() (string, error) {
	return render("monitoring.yaml.tmpl", c, template.FuncMap{"indent": indent})
}

// indent puts spaces before each line that is not empty.
func indent(spaces int, text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		if strings.TrimSpace(line) != "" {
			b.WriteString(strings.Repeat(" ", spaces))
		}
		b.WriteString(line)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// GrafanaDatasource provisions the data sources of the dashboards
// (https://grafana.com/docs/grafana/latest/administration/provisioning/).
type GrafanaDatasource struct {
	Prometheus, Alertmanager string // URLs
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
