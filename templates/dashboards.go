package templates

// ClusterDashboard is the Grafana dashboard of the cluster: its parts, what pods use, what goes wrong.
type ClusterDashboard struct {
	Lab string
}

// What its panels ask: cAdvisor, kube-state-metrics, the API server, etcd.
const (
	queryParts      = `min by (job) (up{job=~"apiserver|etcd|kubelet|cadvisor|kube-state-metrics"})`
	queryReady      = `sum(kube_node_status_condition{condition="Ready",status="true"})`
	queryRunning    = `sum(kube_pod_status_phase{phase="Running"})`
	queryUnhappy    = `sum(kube_pod_status_phase{phase=~"Pending|Failed|Unknown"})`
	queryAlerts     = `count(ALERTS{alertstate="firing"}) or vector(0)`
	queryPodCPU     = `topk(10, sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!="",pod!=""}[$__rate_interval])))`
	queryPodMemory  = `topk(10, sum by (namespace, pod) (container_memory_working_set_bytes{container!="",pod!=""}))`
	queryRestarts   = `sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[10m])) > 0`
	queryReplicas   = `kube_deployment_spec_replicas - kube_deployment_status_replicas_available`
	queryRequests   = `sum by (verb) (rate(apiserver_request_total[$__rate_interval]))`
	queryEtcdCommit = `histogram_quantile(0.99, sum by (le, node) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[$__rate_interval])))`
)

// Render gives the dashboard as JSON.
func (d ClusterDashboard) Render() (string, error) {
	count := defaults{Unit: "short", Thresholds: plain()}
	return renderBoard(dashboard{UID: "podium-cluster", Title: "Cluster of " + d.Lab, Panels: []panel{
		stat("Parts", gridPos{0, 0, 10, 5}, by("{{job}}", queryParts), upDefaults()),
		stat("Nodes that are Ready", gridPos{10, 0, 4, 5}, by("nodes", queryReady), count),
		stat("Pods that run", gridPos{14, 0, 3, 5}, by("pods", queryRunning), count),
		stat("Pods that do not", gridPos{17, 0, 3, 5}, by("pods", queryUnhappy), alarm()),
		stat("Alerts", gridPos{20, 0, 4, 5}, by("firing", queryAlerts), alarm()),
		graph("CPU of pods (cores)", gridPos{0, 5, 12, 8}, fromZero("short"), by("{{namespace}}/{{pod}}", queryPodCPU)),
		graph("Memory of pods", gridPos{12, 5, 12, 8}, fromZero("bytes"), by("{{namespace}}/{{pod}}", queryPodMemory)),
		graph("Restarts in ten minutes", gridPos{0, 13, 12, 8}, fromZero("short"), by("{{namespace}}/{{pod}}", queryRestarts)),
		graph("Replicas that deployments miss", gridPos{12, 13, 12, 8}, fromZero("short"), by("{{namespace}}/{{deployment}}", queryReplicas)),
		graph("Requests to the API server (per second)", gridPos{0, 21, 12, 8}, fromZero("reqps"), by("{{verb}}", queryRequests)),
		graph("etcd: slowest hundredth of writes to disk", gridPos{12, 21, 12, 8}, fromZero("s"), byNode(queryEtcdCommit)),
	}})
}

// JenkinsDashboard is the Grafana dashboard of Jenkins, whose plugin "prometheus" has the measurements
// (https://plugins.jenkins.io/prometheus/, https://plugins.jenkins.io/metrics/).
type JenkinsDashboard struct {
	Lab string
}

// Render gives the dashboard as JSON.
func (d JenkinsDashboard) Render() (string, error) {
	count := defaults{Unit: "short", Thresholds: plain()}
	return renderBoard(dashboard{UID: "podium-jenkins", Title: "Jenkins of " + d.Lab, Panels: []panel{
		stat("Jenkins", gridPos{0, 0, 6, 5}, byNode(`up{job="jenkins"}`), upDefaults()),
		stat("Executors", gridPos{6, 0, 6, 5}, by("executors", `jenkins_executor_count_value`), count),
		stat("Builds that wait", gridPos{12, 0, 6, 5}, by("builds", `jenkins_queue_size_value`), alarm()),
		stat("Last results (0: success, 2: failure)", gridPos{18, 0, 6, 5}, by("{{jenkins_job}}", `default_jenkins_builds_last_build_result_ordinal`), alarm()),
		graph("Duration of the last builds", gridPos{0, 5, 12, 8}, fromZero("ms"), by("{{jenkins_job}}", `default_jenkins_builds_last_build_duration_milliseconds`)),
		graph("Executors that build", gridPos{12, 5, 12, 8}, fromZero("short"), by("executors", `jenkins_executor_in_use_value`)),
		graph("Memory of Java's heap", gridPos{0, 13, 12, 8}, fromZero("bytes"), byNode(`vm_memory_heap_used`)),
		graph("CPU of the machine", gridPos{12, 13, 12, 8}, percent(), byNode(`100 * (1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle",roles=~".*jenkins.*"}[$__rate_interval])))`)),
	}})
}

// alarm is red from one on.
func alarm() defaults {
	return defaults{Unit: "short", Thresholds: thresholds{Mode: "absolute", Steps: []threshold{{Color: "green"}, {Color: "red", Value: number(1)}}}}
}
