package templates

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool runs Prometheus's own checker, which comes with Debian's package prometheus.
func promtool(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("skipped: needs promtool: apt-get install --no-install-recommends prometheus")
	}
	out, err := exec.CommandContext(t.Context(), program, arguments...).CombinedOutput()
	return string(out), err
}

// The alerts fire when they should and at no other time: testdata/prometheus-rules.test.yml says when.
func TestAlertRules(t *testing.T) {
	if out, err := promtool(t, "check", "rules", "prometheus-rules.yml"); err != nil {
		t.Errorf("promtool check rules: %v\n%s", err, out)
	}
	if out, err := promtool(t, "test", "rules", filepath.Join("testdata", "prometheus-rules.test.yml")); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
}

// Prometheus takes the configuration of the nodes alone and that with the cluster behind it, on a machine and as a pod.
func TestPrometheusConfiguration(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"token", "ca.crt", "kubelets.crt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	rules, err := filepath.Abs("prometheus-rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	nodes := golden("prometheus.yml")
	// Debian's promtool cannot discover pods; the end-to-end run has a Prometheus that can.
	inside, _, _ := strings.Cut(golden("prometheus-in-cluster.yml"), "  - job_name: pods")
	for what, text := range map[string]string{
		"nodes":             nodes,
		"cluster":           nodes + golden("prometheus-cluster.yml"),
		"inside of cluster": nodes + inside,
		"not YAML":          nodes + "  - job_name: [\n",
	} {
		text = strings.ReplaceAll(text, "/etc/prometheus/podium-rules.yml", rules)
		for _, folder := range []string{"/etc/prometheus/cluster/", "/var/run/secrets/kubernetes.io/serviceaccount/", "/etc/kubelets/"} {
			text = strings.ReplaceAll(text, folder, dir+"/")
		}
		file := filepath.Join(dir, "prometheus.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := promtool(t, "check", "config", file); (err == nil) != (what != "not YAML") {
			t.Errorf("%s: promtool check config: %v\n%s", what, err, out)
		}
	}
}
