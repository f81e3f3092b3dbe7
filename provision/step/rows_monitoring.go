package step

import "time"

// monitoringSteps: Prometheus, Alertmanager and Grafana, and what they ask.
func monitoringSteps() []Step {
	return []Step{
		{
			Name: "node-exporter", About: "the node's measurements for Prometheus",
			On: monitored, After: after("base", "kube-images"), Script: "node-exporter.sh", Vars: nodeExporter, Probe: "probe-node-exporter.sh",
			Services: []string{"prometheus-node-exporter"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u prometheus-node-exporter",
		},
		{
			Name: "prometheus", About: "Prometheus with every node as a target, and alerts",
			On: monitoring, After: after("base"), Script: "prometheus.sh", Vars: prometheus, Files: prometheusConfig, Probe: "probe-prometheus.sh",
			Services: []string{"prometheus"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u prometheus",
		},
		{
			Name: "alertmanager", About: "Alertmanager, which takes Prometheus's alerts",
			On: monitoring, After: after("base"), Script: "alertmanager.sh", Vars: alertmanager, Files: alertmanagerConfig, Probe: "probe-alertmanager.sh",
			Services: []string{"prometheus-alertmanager"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u prometheus-alertmanager",
		},
		{
			Name: "grafana", About: "Grafana with dashboards of the nodes, the cluster and Jenkins",
			On: withGrafana, After: after("base"), Script: "grafana.sh", Vars: grafana, Files: grafanaConfig, Probe: "probe-grafana.sh",
			Services: []string{"grafana-server"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u grafana-server",
		},
		{
			Name: "cluster-metrics", About: "kube-state-metrics, and Prometheus's right to ask the cluster",
			On: watchedCluster, After: after("kubeadm-init"), Script: "cluster-metrics.sh", Files: clusterMetrics, Timeout: 10 * time.Minute,
			Hint: "on the control plane: kubectl --namespace monitoring get pods",
		},
		{
			Name: "prometheus-cluster", About: "Prometheus watches the cluster too",
			On: watchesCluster, After: join(after("prometheus"), everywhereAfter("cluster-metrics", "kubeadm-join-control-plane", "kubeadm-join")),
			Script: "prometheus-cluster.sh", Vars: kubelets, Files: prometheusClusterConfig, Inputs: prometheusInputs, Timeout: 10 * time.Minute,
			Hint: "on the node: journalctl -u prometheus",
		},
		{
			Name: "monitoring-cluster", About: "Prometheus, Alertmanager and Grafana as pods",
			On: monitoringPods, After: join(after("cluster-metrics", "kube-ready"), everywhereAfter("kubeadm-join-control-plane", "kubeadm-join")),
			Script: "monitoring-cluster.sh", Vars: monitoringInCluster, Files: monitoringManifest, Inputs: kubeletInputs, Probe: "probe-monitoring-cluster.sh",
			Timeout: 30 * time.Minute,
			Hint:    "on the control plane: kubectl --namespace monitoring get pods",
		},
		{
			Name: "monitoring-ready", About: "Prometheus has reached everything that it watches",
			On: watching, After: join(after("prometheus", "alertmanager", "prometheus-cluster", "monitoring-cluster"), everywhereAfter("node-exporter", "kube-ready", "jenkins")),
			Script: "monitoring-ready.sh", Vars: targets, Probe: "probe-monitoring-ready.sh", Timeout: 10 * time.Minute,
			Hint: "in a browser: Prometheus, Status, Target health",
		},
	}
}
