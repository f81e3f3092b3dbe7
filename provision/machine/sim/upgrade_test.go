package sim_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"podium/provision/engine"
	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/plan"
	"podium/scripts"
)

const oldCluster = `
name: shelf
network: 192.168.56.0/24
nodes:
  - {name: cp, count: 3, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w, count: 2, roles: [worker], cpus: 1, memory: 2GiB}
kubernetes: {version: "1.33.5", cni: flannel}
`

// replan lays the catalogue over another description of the engine's lab.
func replan(t testing.TB, e *engine.Engine, text string) {
	t.Helper()
	dir := e.Dir.Lab()
	write(t, filepath.Join(dir, "lab.yaml"), text)
	l, err := lab.LoadWith(dir, lab.LoadOptions{Provider: lab.ProviderSim})
	if err != nil {
		t.Fatal(err)
	}
	if e.Plan, err = plan.Build(l, scripts.Guest(), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
}

// recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
	seen   func(event.Event) // may be nil
}

func (r *recorder) Emit(e event.Event) {
	r.mu.Lock()
	r.events = append(r.events, e)
	r.mu.Unlock()
	if r.seen != nil {
		r.seen(e)
	}
}

// list is the events of a kind, as "node/step" or their text.
func (r *recorder) list(kind event.Kind, prefix string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, e := range r.events {
		text := e.Text
		if e.Step != "" {
			text = e.Node + "/" + e.Step
		}
		if e.Kind == kind && strings.HasPrefix(text[strings.LastIndex(text, "/")+1:], prefix) {
			all = append(all, text)
		}
	}
	return all
}

// versions is what the nodes of the cluster run, and whether pods may come to them.
func versions(t *testing.T, e *engine.Engine) string {
	t.Helper()
	out, errs, code := run(t, connect(t, e, "cp1"), `sudo kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o 'jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} {.spec.unschedulable}{.metadata.annotations.podium/cordoned}{"\n"}{end}'`)
	if code != 0 {
		t.Fatal(errs)
	}
	return out
}

var upgradeOrder = []string{
	"cp1/kube-upgrade", "cp2/kube-upgrade-control-plane", "cp3/kube-upgrade-control-plane", "w1/kube-upgrade-worker", "w2/kube-upgrade-worker",
}

func TestUpgrade(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, oldCluster, "")
	up(t, e)
	pods := connect(t, e, "cp1")
	if _, errs, code := run(t, pods, "sudo kubectl --kubeconfig /etc/kubernetes/admin.conf create deployment web --image=registry.k8s.io/pause:3.10 --replicas=4"); code != 0 {
		t.Fatal(errs)
	}

	r := &recorder{}
	e.Sink = r
	replan(t, e, strings.Replace(oldCluster, "1.33.5", "1.34", 1))
	ran := up(t, e)
	if got := r.list(event.Note, "upgrade"); len(got) != 1 || got[0] != "upgrade of Kubernetes 1.33.5 -> 1.34, one node at a time: cp1, then cp2, then cp3, then w1, then w2" {
		t.Errorf("says %q", got)
	}
	// Nothing but what the version changes: packages, pause image, images on all nodes at once, then one by one.
	var others []string
	for _, task := range ran {
		if step := task[strings.Index(task, "/")+1:]; !strings.HasPrefix(step, "kube-upgrade") && !slices.Contains([]string{"kube-packages", "containerd", "kube-images"}, step) {
			others = append(others, task)
		}
	}
	if len(others) > 0 {
		t.Errorf("ran for no reason: %q", others)
	}
	if got := r.list(event.TaskDone, "kube-upgrade"); !slices.Equal(got, upgradeOrder) {
		t.Errorf("upgraded in the order %q", got)
	}
	oneByOne(t, r)
	if got, want := versions(t, e), "cp1 v1.34.9 \ncp2 v1.34.9 \ncp3 v1.34.9 \nw1 v1.34.9 \nw2 v1.34.9 \n"; got != want {
		t.Errorf("nodes:\n%s", got)
	}
	for _, c := range []struct{ command, want string }{
		{`sudo kubectl --kubeconfig /etc/kubernetes/admin.conf version | tail -n 1`, "Server Version: v1.34.9"},
		{`sudo kubectl --kubeconfig /etc/kubernetes/admin.conf get deployment web -o 'jsonpath={.status.availableReplicas}'`, "4"},
		{`sudo kubectl --kubeconfig /etc/kubernetes/admin.conf --namespace kube-system get daemonset kube-proxy -o 'jsonpath={.spec.template.spec.containers[0].image}'`, "registry.k8s.io/kube-proxy:v1.34.9"},
		{`sudo grep -c "kubernetesVersion:.*v1.34.9" /var/lib/podium/kubeadm.yaml`, "1"},
		{`grep -o 'pause:[0-9.]*' /etc/containerd/config.toml`, "pause:3.10.1"},
		{`apt-mark showhold | paste -sd' '`, "kubeadm kubectl kubelet"},
		{`sudo cmp /etc/kubernetes/admin.conf /root/.kube/config && echo same`, "same"},
		{`cat /etc/apt/sources.list.d/podium-kubernetes.sources | grep URIs`, "URIs: https://pkgs.k8s.io/core:/stable:/v1.34/deb/"},
	} {
		if out, errs, _ := run(t, pods, c.command); strings.TrimSpace(out) != c.want {
			t.Errorf("%s: %q %s, want %q", c.command, out, errs, c.want)
		}
	}
	if ran := up(t, e); len(ran) > 0 {
		t.Errorf("the second up ran %q", ran)
	}

	replan(t, e, strings.Replace(oldCluster, "1.33.5", "1.35.2", 1)+"\nbox: bento/ubuntu-24.04\n")
	up(t, e)
	replan(t, e, strings.Replace(oldCluster, "1.33.5", "1.35.6", 1))
	if got := r.list(event.TaskDone, "kube-upgrade"); len(got) != 10 {
		t.Errorf("the next minor version: %q", got)
	}
	up(t, e) // a patch
	if got := versions(t, e); strings.Count(got, " v1.35.6 \n") != 5 {
		t.Errorf("nodes:\n%s", got)
	}
}

// oneByOne checks that no two nodes were upgraded at a time.
func oneByOne(t *testing.T, r *recorder) {
	t.Helper()
	busy := ""
	for _, e := range r.events {
		if !strings.HasPrefix(e.Step, "kube-upgrade") {
			continue
		}
		switch e.Kind {
		case event.TaskStarted:
			if busy != "" {
				t.Errorf("%s was upgraded while %s was", e.Node, busy)
			}
			busy = e.Node
		case event.TaskDone, event.TaskFailed:
			busy = ""
		}
	}
}

func TestUpgradeRefused(t *testing.T) {
	t.Parallel()
	one := strings.Replace(strings.Replace(oldCluster, "count: 3, ", "", 1), "name: cp", "name: cp1", 1)
	e, _ := newEngine(t, one, "")
	up(t, e)
	for version, want := range map[string]string{
		"1.35":   `has Kubernetes 1.33.5, lab.yaml asks for 1.35: an upgrade goes one minor version at a time: write version: "1.34"`,
		"1.33.4": `has Kubernetes 1.33.5, lab.yaml asks for 1.33.4: a cluster cannot go back: write version: "1.33.5"`,
	} {
		replan(t, e, strings.Replace(one, "1.33.5", version, 1))
		r := &recorder{}
		e.Sink = r
		_, err := e.Up(t.Context(), engine.UpOptions{})
		if !errors.Is(err, engine.ErrVersion) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", version, err)
		}
		if len(r.events) > 0 {
			t.Errorf("%s: something was done: %v", version, r.events)
		}
	}
	// Where podium has forgotten, the nodes refuse, before they change anything.
	if err := os.Remove(e.Dir.Path("state.json")); err != nil {
		t.Fatal(err)
	}
	replan(t, e, strings.Replace(one, "1.33.5", "1.35", 1))
	s, err := e.Up(t.Context(), engine.UpOptions{})
	if err == nil || !strings.Contains(err.Error(), "one minor version at a time") {
		t.Errorf("without a state: %v", err)
	}
	for _, task := range s.Tasks {
		if strings.HasPrefix(task.Step, "kube") && task.Outcome == engine.Done {
			t.Errorf("%s was done", task.ID)
		}
	}
	if out, _, _ := run(t, connect(t, e, "w1"), "kubeadm version -o short; cat /etc/apt/sources.list.d/podium-kubernetes.sources"); !strings.HasPrefix(out, "v1.33.5\n") || strings.Contains(out, "1.35") {
		t.Errorf("w1 was changed: %s", out)
	}
}

// Whenever an upgrade is cut off, the next up finishes it and lets pods come to all nodes again. A node that somebody
// else has cordoned stays so.
func TestUpgradeIsFinished(t *testing.T) {
	t.Parallel()
	cuts := []string{"upgrade/staticpods] Component \"etcd\"", "cp1 drained", "node/cp1 cordoned", "node/w1 cordoned", "evicting pod", "restarting kubelet", "node/w1 uncordoned", "upgrade] Writing kubelet"}
	one := strings.Replace(strings.Replace(oldCluster, "count: 3, ", "", 1), "name: cp", "name: cp1", 1)
	for _, cut := range cuts {
		t.Run(cut, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, one, "")
			up(t, e)
			if _, errs, code := run(t, connect(t, e, "cp1"), "export KUBECONFIG=/etc/kubernetes/admin.conf; sudo -E kubectl create deployment web --image=registry.k8s.io/pause:3.10 --replicas=4 && sudo -E kubectl cordon w2"); code != 0 {
				t.Fatal(errs)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var found sync.Once
			hit := false
			e.Sink = &recorder{seen: func(v event.Event) {
				if v.Kind == event.TaskOutput && strings.HasPrefix(v.Step, "kube-upgrade") && strings.Contains(v.Text, cut) {
					found.Do(func() { hit = true; cancel() })
				}
			}}
			replan(t, e, strings.Replace(one, "1.33.5", "1.34.9", 1))
			_, err := e.Up(ctx, engine.UpOptions{})
			if cancel(); !hit {
				t.Fatalf("never said (up: %v)", err)
			}
			e.Sink = nil
			up(t, e)
			if got := versions(t, e); got != "cp1 v1.34.9 \nw1 v1.34.9 \nw2 v1.34.9 true\n" {
				t.Errorf("nodes:\n%s", got)
			}
			if ran := up(t, e); len(ran) > 0 {
				t.Errorf("the next up ran %q", ran)
			}
		})
	}
}

// Members of etcd on machines of their own restart with the newer etcd one after the other, before the control planes.
func TestUpgradeExternalEtcd(t *testing.T) {
	t.Parallel()
	text := strings.Replace(builtin(t, "k8s-external-etcd"), `version: "1.36"`, `version: "1.35"`, 1)
	e, _ := newEngine(t, text, "nodes: {etcd1: {durations: {tar: 400ms}}, etcd2: {durations: {tar: 200ms}}}") // who does not wait comes first
	up(t, e)
	const asks = `etcd --version | head -n 1`
	if out, errs, _ := run(t, connect(t, e, "etcd3"), asks); out != "etcd Version: 3.6.6\n" {
		t.Fatalf("etcd of Kubernetes 1.35: %s%s", out, errs)
	}
	replan(t, e, strings.Replace(text, `version: "1.35"`, `version: "1.36"`, 1))
	var restarted []string
	var mu sync.Mutex
	e.Sink = event.Func(func(v event.Event) {
		mu.Lock()
		defer mu.Unlock()
		if v.Text == "restarting etcd.service" {
			restarted = append(restarted, v.Node)
		}
	})
	up(t, e)
	if want := []string{"etcd1", "etcd2", "etcd3"}; !slices.Equal(restarted, want) {
		t.Errorf("etcd restarts on %q, want %q", restarted, want)
	}
	for _, name := range restarted {
		if out, errs, _ := run(t, connect(t, e, name), asks+`; systemctl is-active etcd`); out != "etcd Version: 3.6.8\nactive\n" {
			t.Errorf("%s: %s%s", name, out, errs)
		}
	}
	if out, errs, _ := run(t, connect(t, e, "cp1"), `kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers | grep -c ' Ready .* v1.36'`); out != "3\n" {
		t.Errorf("after the upgrade: %s%s", out, errs)
	}
	if ran := up(t, e); len(ran) > 0 {
		t.Errorf("a further up ran %q", ran)
	}
	// A member is not taken away like a worker.
	fewer := strings.Replace(strings.Replace(text, `version: "1.35"`, `version: "1.36"`, 1), "count: 3", "count: 1", 1)
	replan(t, e, fewer)
	if _, err := e.Up(t.Context(), engine.UpOptions{Prune: true}); !errors.Is(err, engine.ErrEtcd) || !strings.Contains(err.Error(), "put etcd2, etcd3 back") {
		t.Errorf("without two members: %v", err)
	}
}
