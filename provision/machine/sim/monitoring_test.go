package sim_test

import (
	"strings"
	"testing"

	"podium/provision/remote"
)

// TestPrometheusMayOnlyMeasure takes from Prometheus, one after the other, what it needs to ask the cluster: the probe
// of monitoring-ready tells what is missing, so it does not pass without asking.
func TestPrometheusMayOnlyMeasure(t *testing.T) {
	e, _ := newEngine(t, `
name: w
source: distro
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: mon, roles: [monitoring], cpus: 1, memory: 2GiB}
kubernetes: {cni: bridge}
monitoring: {grafana: false}
`, "")
	up(t, e)
	cp, mon := connect(t, e, "cp"), connect(t, e, "mon")
	const probe = "cd /var/lib/podium/scripts; . ./monitoring-ready.env; bash monitoring-ready.probe.sh"
	if _, errs, code := run(t, mon, probe); code != 0 {
		t.Fatal(errs)
	}
	const (
		admin  = "export KUBECONFIG=/etc/kubernetes/admin.conf; "
		rights = "kubectl apply -f /var/lib/podium/files/cluster-metrics.yaml"
		scale  = "kubectl --namespace monitoring scale deployment kube-state-metrics --replicas="
		token  = "/etc/prometheus/cluster/token"
	)
	for _, c := range []struct {
		what         string
		on           remote.Host
		take, repair string
		want         string
	}{
		{"the role in the cluster", cp, "kubectl delete clusterrolebinding podium-prometheus", rights, "does not reach apiserver of cp"},
		{"the role for kube-state-metrics", cp, "kubectl --namespace monitoring delete rolebinding prometheus", rights, "does not reach kube-state-metrics"},
		{"kube-state-metrics itself", cp, scale + "0", scale + "1", "does not reach kube-state-metrics"},
		{"the token", mon, "chown root: " + token, "chown prometheus: " + token, "does not reach apiserver of cp"},
		{"a token that is good", cp, "kubectl --namespace monitoring delete secret prometheus-token", "true", "does not reach apiserver of cp"},
	} {
		if _, errs, code := run(t, c.on, admin+c.take); code != 0 {
			t.Fatalf("%s: %s", c.what, errs)
		}
		if _, errs, code := run(t, mon, probe); code == 0 || !strings.Contains(errs, c.want) {
			t.Errorf("without %s the probe ends with %d and says %q, not %q", c.what, code, errs, c.want)
		}
		if _, errs, code := run(t, c.on, admin+c.repair); code != 0 {
			t.Fatalf("%s: %s", c.what, errs)
		}
	}
}
