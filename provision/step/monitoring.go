package step

import (
	"net"
	"strconv"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/templates"
)

// Where Prometheus on a machine of its own keeps what it needs to ask the cluster; scripts/guest/lib/prometheus.sh.
const prometheusClusterDir = "/etc/prometheus/cluster/"

func nodeExporter(c Context, _ lab.Machine) Vars {
	release := catalogue.Version("node-exporter")
	return Vars{"PODIUM_NODE_EXPORTER_VERSION": release}.downloading(c, "node-exporter", release)
}

func prometheus(c Context, _ lab.Machine) Vars {
	release := catalogue.Version("prometheus")
	return Vars{
		"PODIUM_PROMETHEUS_VERSION":   release,
		"PODIUM_PROMETHEUS_PORT":      strconv.Itoa(c.Lab.Monitoring.PrometheusPort),
		"PODIUM_PROMETHEUS_RETENTION": c.Lab.Monitoring.Retention,
	}.downloading(c, "prometheus", release)
}

func prometheusConfig(c Context, _ lab.Machine) []File {
	m := c.Lab.Monitoring
	return []File{
		file("prometheus.yml", 0o644, templates.Prometheus{
			Lab: c.Lab.Name, Port: m.PrometheusPort, Alertmanager: "localhost:" + strconv.Itoa(m.AlertmanagerPort), Targets: nodeTargets(c.Machines),
			Jenkins: jenkinsTarget(c),
		}),
		file("podium-rules.yml", 0o644, templates.PrometheusRules{}),
	}
}

func nodeTargets(machines []lab.Machine) []templates.Target {
	var list []templates.Target
	for _, m := range machines {
		list = append(list, templates.Target{Node: m.Name, Address: m.Address.String(), Roles: strings.Join(m.Roles, ",")})
	}
	return list
}

func alertmanager(c Context, _ lab.Machine) Vars {
	release := catalogue.Version("alertmanager")
	return Vars{
		"PODIUM_ALERTMANAGER_VERSION": release,
		"PODIUM_ALERTMANAGER_PORT":    strconv.Itoa(c.Lab.Monitoring.AlertmanagerPort),
	}.downloading(c, "alertmanager", release)
}

func alertmanagerConfig(c Context, _ lab.Machine) []File {
	return []File{file("alertmanager.yml", 0o644, templates.Alertmanager{Webhook: c.Lab.Monitoring.Webhook})}
}

// clusterMembers are the machines of the cluster that take part.
func clusterMembers(c Context) []lab.Machine {
	var members []lab.Machine
	for _, m := range c.present() {
		if kubernetes(c, m) {
			members = append(members, m)
		}
	}
	return members
}

// clusterJobs is what Prometheus asks of the cluster; the callers add where Prometheus runs.
func clusterJobs(c Context) templates.PrometheusCluster {
	jobs := templates.PrometheusCluster{Nodes: nodeTargets(clusterMembers(c))}
	for _, m := range c.Machines {
		if kubernetes(c, m) && m.HasRole(lab.RoleControlPlane) {
			jobs.ControlPlanes = append(jobs.ControlPlanes, nodeTargets([]lab.Machine{m})...)
		}
	}
	jobs.Etcd = jobs.ControlPlanes
	if externalEtcd(c) {
		jobs.Etcd = nodeTargets(etcdMembers(c))
	}
	return jobs
}

func prometheusClusterConfig(c Context, _ lab.Machine) []File {
	jobs := clusterJobs(c)
	jobs.API = net.JoinHostPort(APIName, apiPort)
	jobs.Token, jobs.CA, jobs.KubeletCAs = prometheusClusterDir+"token", prometheusClusterDir+"ca.crt", prometheusClusterDir+"kubelets.crt"
	return []File{file("prometheus-cluster.yml", 0o644, jobs)}
}

func kubelets(c Context, _ lab.Machine) Vars {
	var names []string
	for _, m := range clusterMembers(c) {
		names = append(names, m.Name)
	}
	return Vars{"PODIUM_KUBELETS": strings.Join(names, " ")}
}

// kubeletInputs are the certificates by which the kubelets are known.
func kubeletInputs(c Context, _ lab.Machine) []Input {
	var all []Input
	for _, m := range clusterMembers(c) {
		all = append(all, Input{Node: m.Name, Script: "input-kubelet.sh", Vars: Vars{"PODIUM_NODE": m.Name}})
	}
	return all
}

// prometheusInputs are that, and the right to ask.
func prometheusInputs(c Context, m lab.Machine) []Input {
	first, _ := controlPlane(c)
	return append([]Input{{Node: first.Name, Script: "input-prometheus.sh"}}, kubeletInputs(c, m)...)
}

func clusterMetrics(c Context, _ lab.Machine) []File {
	return []File{file("cluster-metrics.yaml", 0o644, templates.ClusterMetrics{
		InCluster: c.Lab.Monitoring.Place == lab.PlaceCluster, StateMetrics: catalogue.Image("kube-state-metrics", "kube-state-metrics", catalogue.Version("kube-state-metrics")),
	})}
}

// targets is what Prometheus has to reach before the lab counts as watched.
func targets(c Context, _ lab.Machine) Vars {
	lines := []string{"prometheus -", "alertmanager -"}
	add := func(job string, list []templates.Target) {
		for _, t := range list {
			lines = append(lines, job+" "+t.Node)
		}
	}
	add("node", nodeTargets(c.present()))
	if t := jenkinsTarget(c); t != nil && c.takesPart(t.Node) {
		lines = append(lines, "jenkins "+t.Node)
	}
	if c.Lab.Kubernetes != nil {
		jobs := clusterJobs(c)
		add("apiserver", jobs.ControlPlanes)
		add("etcd", jobs.Etcd)
		add("kubelet", jobs.Nodes)
		add("cadvisor", jobs.Nodes)
		lines = append(lines, "kube-state-metrics -")
	}
	return Vars{
		"PODIUM_TARGETS":         strings.Join(lines, "\n"),
		"PODIUM_PROMETHEUS_PORT": strconv.Itoa(c.Lab.Monitoring.PrometheusPort),
	}
}

// Where Prometheus as a pod finds the token and the authority of its service account, and the kubelets' own.
const (
	accountDir  = "/var/run/secrets/kubernetes.io/serviceaccount/"
	kubeletsDir = "/etc/kubelets/"
)

func monitoringInCluster(c Context, m lab.Machine) Vars {
	v := kubelets(c, m)
	v["PODIUM_PROMETHEUS_PORT"] = strconv.Itoa(c.Lab.Monitoring.PrometheusPort)
	v["PODIUM_ALERTMANAGER_PORT"] = strconv.Itoa(c.Lab.Monitoring.AlertmanagerPort)
	v["PODIUM_GRAFANA_PORT"] = ""
	if c.Lab.Monitoring.HasGrafana() {
		v["PODIUM_GRAFANA_PORT"] = strconv.Itoa(c.Lab.Monitoring.GrafanaPort)
	}
	return v
}

// monitoringManifest is monitoring as pods: the same configuration as on a machine, by other names.
func monitoringManifest(c Context, m lab.Machine) []File {
	jobs := clusterJobs(c)
	jobs.InCluster, jobs.Token, jobs.CA, jobs.KubeletCAs = true, accountDir+"token", accountDir+"ca.crt", kubeletsDir+"kubelets.crt"
	const alerts = "alertmanager.monitoring.svc:9093"
	image := func(name string) string { return catalogue.Image(name, name, catalogue.Version(name)) }
	at := func(port int) string { return "http://" + net.JoinHostPort(m.Address.String(), strconv.Itoa(port)) }
	data := templates.ClusterMonitoring{
		PrometheusURL: at(c.Lab.Monitoring.PrometheusPort), AlertmanagerURL: at(c.Lab.Monitoring.AlertmanagerPort), GrafanaURL: at(c.Lab.Monitoring.GrafanaPort),
		Retention: c.Lab.Monitoring.Retention, Nodes: jobs.Nodes,
		Config: text(templates.Prometheus{Lab: c.Lab.Name, Port: 9090, Alertmanager: alerts, Targets: nodeTargets(c.Machines), Jenkins: jenkinsTarget(c)}) + text(jobs),
		Rules:  text(templates.PrometheusRules{}), Alerts: text(templates.Alertmanager{Webhook: c.Lab.Monitoring.Webhook}),
		Datasources: text(templates.GrafanaDatasource{Prometheus: "http://prometheus.monitoring.svc:9090", Alertmanager: "http://" + alerts}),
		Dashboards:  text(templates.GrafanaDashboards{}), Boards: map[string]string{},
	}
	data.Images.Prometheus, data.Images.Alertmanager, data.Images.NodeExporter = image("prometheus"), image("alertmanager"), image("node-exporter")
	data.Ports.Prometheus, data.Ports.Alertmanager, data.Ports.Grafana = c.Lab.Monitoring.PrometheusPort, c.Lab.Monitoring.AlertmanagerPort, c.Lab.Monitoring.GrafanaPort
	if c.Lab.Monitoring.HasGrafana() {
		data.Images.Grafana = image("grafana")
		for _, b := range boards(c) {
			data.Boards[b.name+".json"] = text(b.data)
		}
	}
	return []File{file("monitoring.yaml", 0o644, data)}
}

// board is a dashboard: podium-NAME is its UID.
type board struct {
	name string
	data interface{ Render() (string, error) }
}

func boards(c Context) []board {
	list := []board{{"nodes", templates.NodesDashboard{Lab: c.Lab.Name}}}
	if c.Lab.Kubernetes != nil {
		list = append(list, board{"cluster", templates.ClusterDashboard{Lab: c.Lab.Name}})
	}
	if jenkinsTarget(c) != nil {
		list = append(list, board{"jenkins", templates.JenkinsDashboard{Lab: c.Lab.Name}})
	}
	return list
}

func grafana(c Context, _ lab.Machine) Vars {
	var names []string
	for _, b := range boards(c) {
		names = append(names, b.name)
	}
	return Vars{"PODIUM_GRAFANA_PORT": strconv.Itoa(c.Lab.Monitoring.GrafanaPort), "PODIUM_GRAFANA_BOARDS": strings.Join(names, " ")}
}

func grafanaConfig(c Context, _ lab.Machine) []File {
	local := func(port int) string { return "http://localhost:" + strconv.Itoa(port) }
	files := []File{
		file("grafana-datasource.yaml", 0o644, templates.GrafanaDatasource{
			Prometheus: local(c.Lab.Monitoring.PrometheusPort), Alertmanager: local(c.Lab.Monitoring.AlertmanagerPort),
		}),
		file("grafana-dashboards.yaml", 0o644, templates.GrafanaDashboards{}),
	}
	for _, b := range boards(c) {
		files = append(files, file("grafana-"+b.name+".json", 0o644, b.data))
	}
	return files
}
