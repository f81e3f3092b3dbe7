package sim_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"podium/provision/engine"
	"podium/provision/machine"
	"podium/provision/remote"
	catalogue "podium/provision/step"
	"podium/scripts"
)

const wholeCluster = `
name: prune
network: 192.168.56.0/24
nodes:
  - {name: cp1, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: cp2, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: cp3, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w1, roles: [worker], cpus: 1, memory: 2GiB}
  - {name: w2, roles: [worker], cpus: 1, memory: 2GiB}
kubernetes: {version: "1.36", cni: flannel}
`

// without is the description without the lines of nodes. Those that stay keep their addresses.
func without(text string, nodes ...string) string {
	var lines []string
	next := 10
	for line := range strings.Lines(text) {
		if strings.Contains(line, "- {name:") {
			line = strings.Replace(line, "roles:", "address: 192.168.56."+string([]byte{'1', byte('0' + next - 10)})+", roles:", 1)
			next++
		}
		if !slices.ContainsFunc(nodes, func(n string) bool { return strings.Contains(line, "name: "+n+",") }) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// members is who is in etcd and in the API, asked on a node.
func members(t *testing.T, e *engine.Engine, node string) string {
	t.Helper()
	out, errs, code := run(t, connect(t, e, node), `echo $(sudo kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o 'jsonpath={.items[*].metadata.name}'): $(sudo curl -sS -d '{}' https://127.0.0.1:2379/v3/cluster/member/list | grep -o '"name":"[^"]*"' | cut -d '"' -f 4)`)
	if code != 0 {
		t.Fatal(errs)
	}
	return strings.TrimSpace(out)
}

func prune(t *testing.T, e *engine.Engine) error {
	t.Helper()
	_, err := e.Up(t.Context(), engine.UpOptions{Prune: true})
	return err
}

func TestPrune(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, without(wholeCluster), "")
	up(t, e)
	if _, errs, code := run(t, connect(t, e, "cp1"), "export KUBECONFIG=/etc/kubernetes/admin.conf; sudo -E kubectl create deployment web --image=registry.k8s.io/pause:3.10 --replicas=4; sudo -E kubectl run bare --image=registry.k8s.io/pause:3.10"); code != 0 {
		t.Fatal(errs)
	}
	// A worker, and two control planes, of them the one by which podium has worked so far.
	replan(t, e, without(wholeCluster, "cp1", "cp2", "w2"))
	up(t, e)
	if got := members(t, e, "cp3"); got != "cp1 cp2 cp3 w1 w2: cp1 cp2 cp3" {
		t.Fatalf("without being asked: %s", got)
	}
	if names, err := e.Surplus(t.Context()); err != nil || !slices.Equal(names, []string{"cp1", "cp2", "w2"}) {
		t.Errorf("surplus %q, %v", names, err)
	}
	if err := prune(t, e); err != nil {
		t.Fatal(err)
	}
	if got := members(t, e, "cp3"); got != "cp3 w1: cp3" {
		t.Errorf("members: %s", got)
	}
	gone(t, e, "cp1", "cp2", "w2")
	if out, _, _ := run(t, connect(t, e, "cp3"), `sudo kubectl --kubeconfig /etc/kubernetes/admin.conf get deployment web -o 'jsonpath={.status.availableReplicas}'`); out != "4" {
		t.Errorf("the deployment has %s pods", out)
	}
	if ran := up(t, e); len(ran) > 0 {
		t.Errorf("the next up ran %q", ran)
	}
}

func gone(t *testing.T, e *engine.Engine, nodes ...string) {
	t.Helper()
	there, err := e.Provider.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if is := there[n]; is != machine.Missing && is != "" {
			t.Errorf("%s is %s", n, is)
		}
		if _, known := s.Machines[n]; known {
			t.Errorf("the state still has %s", n)
		}
	}
}

// Machines that are dead are taken out by the others; as many as leave etcd a majority.
func TestPruneTheDead(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, without(wholeCluster), "")
	up(t, e)
	if err := e.Halt(t.Context(), "cp3", "w1"); err != nil {
		t.Fatal(err)
	}
	// With cp3 dead, etcd cannot spare cp2.
	text, err := catalogue.Text(scripts.Guest(), catalogue.Leaving().Drain)
	if err != nil {
		t.Fatal(err)
	}
	h := connect(t, e, "cp1")
	if _, errs, code := run(t, h, "sudo PODIUM_LEAVES=cp2 bash -c "+remote.Quote(text)); code == 0 || !strings.Contains(errs, "of the 2 members that etcd would have left only 1 are healthy") {
		t.Errorf("the majority: %d %s", code, errs)
	}
	// The dead go first, then it can.
	replan(t, e, without(wholeCluster, "cp2", "cp3", "w1"))
	if err := prune(t, e); err != nil {
		t.Fatal(err)
	}
	if got := members(t, e, "cp1"); got != "cp1 w2: cp1" {
		t.Errorf("members: %s", got)
	}
	gone(t, e, "cp2", "cp3", "w1")

	replan(t, e, strings.ReplaceAll(without(wholeCluster, "cp2", "cp3", "w1"), "name: cp1,", "name: new,"))
	if _, err := e.Up(t.Context(), engine.UpOptions{Prune: true}); !errors.Is(err, engine.ErrControlPlanes) {
		t.Errorf("without any of its control planes: %v", err)
	}
	if got := members(t, e, "cp1"); got != "cp1 w2: cp1" {
		t.Errorf("members after that: %s", got)
	}
}
