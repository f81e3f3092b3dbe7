package step

import "time"

// monitoringSteps: prometheus and Grafana, and what they ask.
func monitoringSteps() []Step {
	return []Step{
		{
			Name: "node-exporter", About: "the node's measurements for Prometheus",
			On: monitored, After: after("base", "kube-images"), Script: "node-exporter.sh", Vars: nodeExporter, Probe: "probe-node-exporter.sh",
			Services: []string{"prometheus-node-exporter"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u prometheus-node-exporter",
		},
		{
			Name: "prometheus", About: "Prometheus with every node as a target",
			On: monitoring, After: after("base"), Script: "prometheus.sh", Vars: prometheus, Files: prometheusConfig, Probe: "probe-prometheus.sh",
			Services: []string{"prometheus"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u prometheus",
		},
		{
			Name: "grafana", About: "Grafana with a dashboard of all nodes",
			On: withGrafana, After: after("base"), Script: "grafana.sh", Vars: grafana, Files: grafanaConfig, Probe: "probe-grafana.sh",
			Services: []string{"grafana-server"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u grafana-server",
		},
		{
			Name: "monitoring-ready", About: "Prometheus has reached every node",
			On: monitoring, After: join(after("prometheus"), everywhereAfter("node-exporter")),
			Script: "monitoring-ready.sh", Vars: targets, Probe: "probe-monitoring-ready.sh", Timeout: 5 * time.Minute,
			Hint: "in a browser: Prometheus, Status, Target health",
		},
	}
}

// jenkinsSteps: jenkins.
func jenkinsSteps() []Step {
	return []Step{
		{
			Name: "jenkins", About: "Jenkins controller",
			On: jenkins, After: after("base"), Script: "jenkins.sh", Vars: jenkinsVars, Probe: "probe-jenkins.sh",
			Services: []string{"jenkins"}, Timeout: 40 * time.Minute,
			Hint: "on the node: journalctl -u jenkins",
		},
	}
}
