package sim_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"podium/provision/engine"
	"podium/provision/plan"
	catalogue "podium/provision/step"
	"podium/scripts"
)

// repairing is the engine with the plan of podium repair.
func repairing(t *testing.T, e *engine.Engine) *engine.Engine {
	t.Helper()
	p, err := plan.BuildFrom(catalogue.Repairs(), e.Plan.Lab, scripts.Guest(), os.DirFS(e.Dir.Lab()))
	if err != nil {
		t.Fatal(err)
	}
	r := *e
	r.Plan = p
	return &r
}

// found is what a repair has found, a line each; it fails the test with the logs when the repair fails.
func found(t *testing.T, e *engine.Engine, look bool) string {
	t.Helper()
	did, err := repairing(t, e).Repair(t.Context(), engine.RepairOptions{DryRun: look})
	if err != nil {
		for _, f := range did.Failures {
			log, _ := os.ReadFile(f.Log)
			t.Logf("== %s\n%s", f.ID, log)
		}
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range did.Findings {
		fmt.Fprintf(&b, "%s %s: %s: %s\n", f.Node, f.Step, f.What, f.Remedy)
		if f.Beyond {
			b.WriteString("(by hand)\n")
		}
	}
	return b.String()
}

const shelf = `
name: shelf
network: 192.168.56.0/24
nodes:
  - {name: cp1, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w1, roles: [worker], cpus: 1, memory: 2GiB}
  - {name: w2, roles: [worker], cpus: 1, memory: 2GiB}
kubernetes: {version: "1.36", cni: flannel}
`

// A cluster that was made 400 days ago and halted since.
func TestRepairAfterAYear(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, shelf, "clock: -9600h\n")
	up(t, e)
	if got := found(t, e, true); !strings.Contains(got, "the clock is 345") {
		t.Errorf("with clocks 400 days behind: %s", got)
	}
	if err := e.Halt(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(e.Dir.Lab(), "sim.yaml"), "clock: 0s\n") // today
	if err := e.Provider.Prepare(t.Context(), machineSpec(e)); err != nil {
		t.Fatal(err)
	}
	if got := found(t, e, true); strings.Count(got, "the machine is stopped") != 3 {
		t.Errorf("halted: %s", got)
	}
	if s, err := e.Provider.Status(t.Context()); err != nil || s["w1"] != "stopped" {
		t.Errorf("a look has started a machine: %v %v", s, err)
	}
	_, err := e.Up(t.Context(), engine.UpOptions{})
	if err == nil || !strings.Contains(err.Error(), "the certificate of the API server on cp1 expired on ") || !strings.Contains(err.Error(), "renew it: podium repair") {
		t.Errorf("up of a lab whose certificates have expired: %v", err)
	}
	if err := e.Halt(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := found(t, e, false)
	for _, want := range []string{
		"cp1 boot: the machine is stopped: start it\n",
		"cp1 repair-control-plane: the kubelet's certificate expired on ", ": make kubelet.conf again\n",
		"cp1 repair-control-plane: certificates have expired or will within 30 days: apiserver-etcd-client.crt apiserver-kubelet-client.crt apiserver.crt",
		"admin.conf super-admin.conf controller-manager.conf scheduler.conf",
		"w1 repair-kubelet: the kubelet's certificate expired on ", "w2 repair-kubelet: ", ": join again with a new token\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "by hand") {
		t.Errorf("not everything is repaired:\n%s", got)
	}
	if out, errs, _ := run(t, connect(t, e, "cp1"), `kubectl get nodes --no-headers | sed -E 's/ +/ /g' | cut -d ' ' -f 1,2; sudo kubectl get nodes -o name | wc -l`); out != "cp1 Ready\nw1 Ready\nw2 Ready\n3\n" {
		t.Errorf("after the repair: %s %s", out, errs)
	}
	for _, again := range []bool{true, false} {
		if got := found(t, e, again); got != "" {
			t.Errorf("a second repair finds\n%s", got)
		}
	}
	up(t, e)
}

// What else months can do to a lab: each is found by a look that changes nothing, repaired, and not found again.
func TestRepairFinds(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, shelf, "")
	up(t, e)
	if got := found(t, e, true); got != "" {
		t.Errorf("in a lab that is well: %s", got)
	}
	for _, c := range []struct{ node, harm, want string }{
		{"w1", `date --set=@$(($(date +%s) - 90000)) >/dev/null`, "the clock is 9000"},
		{"w2", `date --set=@$(($(date +%s) + 90000)) >/dev/null`, " seconds ahead"},
		{"w1", `sed -i 's/192.168.56.12 w2/192.168.56.99 w2/' /etc/hosts`, "/etc/hosts does not have the nodes"},
		{"w1", `echo KUBELET_EXTRA_ARGS= >/etc/default/kubelet`, "the kubelet does not announce the address 192.168.56.11"},
		{"w1", `systemctl stop containerd`, "containerd.service does not run"},
		{"w2", `systemctl stop kubelet`, "the kubelet does not run"},
		{"cp1", `rm /root/.kube/config`, "/root/.kube/config is not the cluster's any more"},
		{"cp1", `mkdir -p /var/lib/podium/manifests; mv /etc/kubernetes/manifests/* /var/lib/podium/manifests/`, "pods were being restarted"},
		{"w1", `rm /etc/kubernetes/kubelet.conf`, "the kubelet's certificate is missing"},
		{"cp1", `rm /etc/kubernetes/kubelet.conf`, "kubelet.conf is missing"},
	} {
		h := connect(t, e, c.node)
		if _, errs, code := run(t, h, "sudo bash -c "+quote(c.harm)); code != 0 {
			t.Fatal(errs)
		}
		if got := found(t, e, true); !strings.Contains(got, c.want) {
			t.Errorf("%s: a look finds\n%s", c.harm, got)
		}
		if got := found(t, e, true); !strings.Contains(got, c.want) {
			t.Errorf("%s: a look has repaired something: the next finds\n%s", c.harm, got)
		}
		if got := found(t, e, false); !strings.Contains(got, c.want) || strings.Contains(got, "by hand") {
			t.Errorf("%s: the repair finds\n%s", c.harm, got)
		}
		if got := found(t, e, false); got != "" {
			t.Errorf("%s: after the repair there is\n%s", c.harm, got)
		}
	}
	if out, errs, _ := run(t, connect(t, e, "cp1"), `sudo kubectl get nodes --no-headers | grep -c ' Ready '`); out != "3\n" {
		t.Errorf("in the end: %s %s", out, errs)
	}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
