package scripts_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"podium/provision/catalogue"
	"podium/provision/version"
)

// The end-to-end runs build the catalogue's default Kubernetes and its neighbours: when the catalogue moves on, they
// move with it.
func TestEndToEndVersions(t *testing.T) {
	text, err := os.ReadFile("e2e/versions.sh")
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^kubernetes_(\w+)=(\d+\.\d+\.\d+)$`).FindAllStringSubmatch(string(text), -1) {
		built[m[1]] = version.Minor(m[2])
	}
	minors := catalogue.KubernetesMinors()
	at := slices.Index(minors, catalogue.DefaultKubernetes())
	if at < 1 || at+1 >= len(minors) {
		t.Fatalf("the default is not between two others: %q", minors)
	}
	for name, want := range map[string]string{"before": minors[at-1], "default": minors[at], "after": minors[at+1]} {
		if built[name] != want {
			t.Errorf("e2e/versions.sh: kubernetes_%s is of %q, and the catalogue %s", name, built[name], want)
		}
	}
}

// What every run builds has run on real nodes, and the catalogue says so.
func TestDefaultKubernetesRan(t *testing.T) {
	for _, set := range catalogue.All().Sets {
		if set.Kubernetes != catalogue.DefaultKubernetes() {
			continue
		}
		for _, tested := range set.Tested {
			if tested.How == "real nodes" && slices.Contains(tested.With, "containerd") && slices.Contains(tested.With, "etcd") {
				return
			}
		}
	}
	t.Errorf("the catalogue does not say that Kubernetes %s has run on real nodes: run scripts/e2e/run.sh kubernetes, then note it in sets", catalogue.DefaultKubernetes())
}
