package templates

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// guestFiles are the files that steps need on their nodes, by the name of their golden file.
func guestFiles() map[string]interface{ Render() (string, error) } {
	node := KubeadmNode{Name: "cp", CRISocket: "unix:///run/containerd/containerd.sock"}
	alone := node
	alone.TakesPods = true
	init := KubeadmInit{
		Cluster: "k8s", Node: node, Address: "192.168.56.10", Endpoint: "kube-api:6443", SANs: []string{"kube-api", "cp", "192.168.56.10"},
		PodSubnet: "10.244.0.0/16", ServiceSubnet: "10.96.0.0/12",
	}
	single := init
	single.Node, single.OwnPodRanges = alone, true
	members := []Target{{Node: "cp", Address: "192.168.56.10"}, {Node: "w1", Address: "192.168.56.11"}}
	external := init
	external.Etcd = ExternalEtcd{Endpoints: []string{"https://192.168.56.21:2379", "https://192.168.56.22:2379", "https://192.168.56.23:2379"}, Files: "/etc/kubernetes/etcd/"}
	return map[string]interface{ Render() (string, error) }{
		"kubeadm-init-external.yaml":      external,
		"etcd.env":                        Etcd{Name: "etcd1", Address: "192.168.56.21"},
		"etcd-bootstrap.env":              EtcdBootstrap{Lab: "k8s", Address: "192.168.56.21", Members: []Peer{{"etcd1", "192.168.56.21"}, {"etcd2", "192.168.56.22"}}},
		"kubeadm-init.yaml":               init,
		"kubeadm-init-single.yaml":        single,
		"kubeadm-join.yaml":               KubeadmJoin{Node: KubeadmNode{Name: "w1", CRISocket: node.CRISocket, TakesPods: true}},
		"kubeadm-join-control-plane.yaml": KubeadmJoin{Node: alone, ControlPlane: true},
		"cni-bridge.conflist":             BridgeNetwork{Name: "k8s", Pods: "10.244.11.0/24"},
		"haproxy.cfg":                     HAProxy{Port: 8443, ControlPlanes: []Peer{{"cp1", "192.168.56.10"}, {"cp2", "192.168.56.11"}, {"cp3", "192.168.56.12"}}},
		"check-api":                       CheckAPI{Port: 8443},
		"prometheus.yml": Prometheus{Lab: "k8s", Port: 9090, Alertmanager: "localhost:9093", Targets: []Target{
			{Node: "cp", Address: "192.168.56.10", Roles: "control-plane"},
			{Node: "ops", Address: "192.168.56.11", Roles: "jenkins,monitoring"},
		}, Jenkins: &Target{Node: "ops", Address: "192.168.56.11:8080"}},
		"grafana-jenkins.json":    JenkinsDashboard{Lab: "k8s"},
		"cilium.yaml":             Cilium{Host: "kube-api", Port: "6443"},
		"grafana-datasource.yaml": GrafanaDatasource{Prometheus: "http://localhost:9090", Alertmanager: "http://localhost:9093"},
		"grafana-dashboards.yaml": GrafanaDashboards{},
		"grafana-nodes.json":      NodesDashboard{Lab: "k8s"},
		"metallb-pool.yaml":       MetalLBPool{Addresses: "192.168.56.240-192.168.56.250"},
		"nfs-storage-class.yaml":  NFSStorageClass{Server: "192.168.56.14", Folder: "/srv/nfs/kubernetes"},
		"nfs-probe-claim.yaml":    NFSProbeClaim{},
		"traefik.yaml":            Traefik{Image: "docker.io/library/traefik:v3.7.13"},
		"traefik-nodeport.yaml":   Traefik{Image: "docker.io/library/traefik:v3.7.13", Address: "192.168.56.10"},
		"headlamp.yaml":           Headlamp{Image: "ghcr.io/headlamp-k8s/headlamp:v0.45.0", NodePort: 30466},
		"grafana-cluster.json":    ClusterDashboard{Lab: "k8s"},
		"prometheus-cluster.yml": PrometheusCluster{
			API: "kube-api:6443", Token: "/etc/prometheus/cluster/token", CA: "/etc/prometheus/cluster/ca.crt", KubeletCAs: "/etc/prometheus/cluster/kubelets.crt",
			ControlPlanes: members[:1], Nodes: members, Etcd: members[:1],
		},
		"prometheus-in-cluster.yml": PrometheusCluster{
			InCluster: true, Token: "/var/run/secrets/kubernetes.io/serviceaccount/token", CA: "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
			KubeletCAs: "/etc/kubelets/kubelets.crt", ControlPlanes: members[:1], Nodes: members, Etcd: members[:1],
		},
		"cluster-metrics-inside.yaml": ClusterMetrics{InCluster: true, StateMetrics: "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.19.1"},
		"cluster-metrics.yaml":        ClusterMetrics{StateMetrics: "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.19.1"},
		"alertmanager.yml":            Alertmanager{},
		"alertmanager-webhook.yml":    Alertmanager{Webhook: "http://chat.school.example/hooks?room=lab"},
		"jenkins.yaml":                Jenkins{Lab: "k8s", URL: "http://192.168.56.13:8080/", Executors: 2},
		"delivery-account.yaml":       DeliveryAccount{Namespace: "apps"},
		"monitoring.yaml":             clusterMonitoring(members),
		"prometheus-rules.yml":        PrometheusRules{},
	}
}

// clusterMonitoring is monitoring as pods, with short texts where others have tests of their own.
func clusterMonitoring(nodes []Target) ClusterMonitoring {
	c := ClusterMonitoring{
		PrometheusURL: "http://192.168.56.10:30090", AlertmanagerURL: "http://192.168.56.10:30093", GrafanaURL: "http://192.168.56.10:30030",
		Retention: "2d", Nodes: nodes, Config: "global:\n  scrape_interval: 5s\n", Rules: "groups: []\n", Alerts: "route:\n  receiver: lab\n",
		Datasources: "apiVersion: 1\n", Dashboards: "apiVersion: 1\n", Boards: map[string]string{"nodes.json": "{\n  \"uid\": \"podium-nodes\"\n}\n"},
	}
	c.Images.Prometheus, c.Images.Alertmanager = "quay.io/prometheus/prometheus:v3.13.5", "quay.io/prometheus/alertmanager:v0.34.2"
	c.Images.Grafana, c.Images.NodeExporter = "docker.io/grafana/grafana:13.2.3", "quay.io/prometheus/node-exporter:v1.12.1"
	c.Ports.Prometheus, c.Ports.Alertmanager, c.Ports.Grafana = 30090, 30093, 30030
	return c
}

// marks are places that a second language would fill in.
var marks = regexp.MustCompile(`@[A-Z_]+@|(?m)^#[a-z]+ .*:`)

func TestGuestFiles(t *testing.T) {
	for name, data := range guestFiles() {
		t.Run(name, func(t *testing.T) {
			text, err := data.Render()
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("differs from %s (-want +got); if it should, run the test with -update:\n%s", golden, diff)
			}
			if err := parses(name, text); err != nil {
				t.Error(err)
			}
			if mark := marks.FindString(text); mark != "" {
				t.Errorf("holds %s: what only the node knows, its script adds", mark)
			}
		})
	}
}

// parses reports whether the text is what its name says: JSON, or one or more documents of YAML.
func parses(name, text string) error {
	if name == "prometheus-cluster.yml" || name == "prometheus-in-cluster.yml" {
		text = "scrape_configs:\n" + text // it is put behind prometheus.yml
	}
	if ext := filepath.Ext(name); ext == ".json" || ext == ".conflist" {
		var any map[string]any
		return json.Unmarshal([]byte(text), &any)
	}
	switch ext := filepath.Ext(name); ext {
	case ".cfg", ".env", "": // haproxy, systemd and the shell read them on real nodes (scripts/e2e/run.sh ha etcd)
		return nil
	}
	for _, document := range strings.Split(text, "\n---\n") {
		var any map[string]any
		if err := yaml.Unmarshal([]byte(document), &any); err != nil {
			return err
		}
	}
	return nil
}
