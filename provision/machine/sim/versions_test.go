package sim_test

import (
	"strings"
	"testing"

	"podium/provision/catalogue"
)

const onePlusOne = `
name: versions
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w1, roles: [worker], memory: 2GiB}
kubernetes: {version: "1.36"}
`

// Every version of Kubernetes that the catalogue has makes a cluster.
func TestEveryKubernetes(t *testing.T) {
	versions := catalogue.KubernetesMinors()
	if len(versions) < 3 {
		t.Fatalf("the catalogue has %q", versions)
	}
	for _, v := range versions {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, strings.Replace(onePlusOne, "1.36", v, 1), "")
			up(t, e)
			out, errs, _ := run(t, connect(t, e, "cp"), `kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers | grep -c " Ready .* v`+v+`\\."`)
			if out != "2\n" {
				t.Errorf("%s%s", out, errs)
			}
		})
	}
}

// A cluster whose containerd is too old for the Kubernetes that comes gets a newer one with it.
func TestContainerdIsRaised(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, onePlusOne, "")
	up(t, e)
	for _, node := range []string{"cp", "w1"} {
		if _, errs, code := run(t, connect(t, e, node), "sudo apt-get install -y --allow-downgrades containerd.io=2.2.1* && containerd --version | grep v2.2.1"); code != 0 {
			t.Fatal(errs)
		}
	}
	replan(t, e, strings.Replace(onePlusOne, "1.36", "1.37", 1))
	up(t, e)
	for _, node := range []string{"cp", "w1"} {
		if out, errs, code := run(t, connect(t, e, node), "containerd --version | grep v2.3"); code != 0 {
			t.Errorf("%s: %s%s", node, out, errs)
		}
	}
	if ran := up(t, e); len(ran) > 0 {
		t.Errorf("a further up ran %q", ran)
	}
}

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
