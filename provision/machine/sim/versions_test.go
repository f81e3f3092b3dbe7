package sim_test

import (
	"strings"
	"testing"
)

// TestContainerdTooOld: what the box brings is known to the machine only, so its script refuses it.
func TestContainerdTooOld(t *testing.T) {
	e, _ := newEngine(t, `
name: old
box: debian/bookworm64
source: distro
nodes: [{name: cp, roles: [control-plane, worker], cpus: 2, memory: 3GiB}]
kubernetes: {version: "1.34", cni: bridge}
`, "")
	h := fresh(t, e, "cp")
	if errs, code := step(t, e, h, "cp/base"); code != 0 {
		t.Fatalf("base: code %d\n%s", code, errs)
	}
	if errs, code := step(t, e, h, "cp/containerd"); code != 0 {
		t.Fatalf("containerd 1.6 goes with Kubernetes 1.34, but: code %d\n%s", code, errs)
	}
	for i, task := range e.Plan.Tasks {
		if task.ID == "cp/containerd" {
			e.Plan.Tasks[i].Vars["PODIUM_CONTAINERD_LEAST"] = "1.7"
		}
	}
	errs, code := step(t, e, h, "cp/containerd")
	if want := "cp has containerd 1.6.20~ds1, and that Kubernetes wants 1.7 or later"; code != 1 || !strings.Contains(errs, want) {
		t.Errorf("code %d, want 1 and %q:\n%s", code, want, errs)
	}
}
