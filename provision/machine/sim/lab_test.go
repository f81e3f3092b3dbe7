package sim_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"podium/labs"
	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/machine/sim"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
	"podium/scripts"
)

// newEngine is an engine for a lab's text, on simulated nodes in this process.
func newEngine(t testing.TB, text, scenario string) (*engine.Engine, *sim.Host) {
	t.Helper()
	return engineIn(t, t.TempDir(), text, scenario)
}

// engineIn is the same for a folder that has what the lab's own steps need.
func engineIn(t testing.TB, dir, text, scenario string) (*engine.Engine, *sim.Host) {
	t.Helper()
	host := sim.NewHost(nil)
	t.Cleanup(host.Close)
	write(t, filepath.Join(dir, "lab.yaml"), text)
	l, err := lab.LoadWith(dir, lab.LoadOptions{Provider: lab.ProviderSim})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(l, scripts.Guest(), os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	d, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "id")
	if err := remote.GenerateKey(key); err != nil {
		t.Fatal(err)
	}
	public, err := remote.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o := sim.Options{Lab: l.Name, InProcess: host}
	if scenario != "" {
		o.File = filepath.Join(dir, "sim.yaml")
		write(t, o.File, scenario)
	}
	return &engine.Engine{
		Plan: p, Provider: sim.New(o), Dir: d, PublicKey: public, KeyFile: key,
		Dialer: remote.NewDialer(remote.DialOptions{KnownHosts: filepath.Join(dir, "known_hosts"), KeyFile: key, Deadline: 20 * time.Second}),
		Retry:  engine.Retry{Tries: 4, First: 20 * time.Millisecond, Most: 100 * time.Millisecond},
	}, host
}

func builtin(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "labs", name, "lab.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// up runs the engine and returns the steps that ran; it fails the test with the logs of the steps that failed.
func up(t testing.TB, e *engine.Engine) []string {
	t.Helper()
	s, err := e.Up(t.Context(), engine.UpOptions{})
	if err != nil {
		var logs strings.Builder
		for _, task := range s.Tasks {
			if task.Outcome != engine.Done && task.Outcome != engine.Skipped {
				text, _ := os.ReadFile(e.Dir.Path("logs", task.Node, task.Step+".log"))
				fmt.Fprintf(&logs, "== %s: %s\n%s\n", task.ID, task.Outcome, text)
			}
		}
		t.Fatalf("up: %v\n%s", err, logs.String())
	}
	var ran []string
	for _, task := range s.Tasks {
		if task.Outcome == engine.Done {
			ran = append(ran, string(task.ID))
		}
	}
	slices.Sort(ran)
	return ran
}

func TestLabs(t *testing.T) {
	for _, name := range labs.Names() {
		for _, box := range []string{"bento/ubuntu-24.04", "bento/debian-12", "bento/debian-13"} {
			t.Run(name+"/"+strings.TrimPrefix(box, "bento/"), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "..", "labs", name))); err != nil {
					t.Fatal(err)
				}
				e, _ := engineIn(t, dir, builtin(t, name)+"\nbox: "+box+"\n", "")
				if ran := up(t, e); len(ran) != firstTasks(e.Plan) {
					t.Errorf("the first up ran %d of %d tasks", len(ran), firstTasks(e.Plan))
				}
				if ran := up(t, e); len(ran) > 0 {
					t.Errorf("the second up ran %q", ran)
				}
			})
		}
	}
}

// firstTasks counts the tasks that run on new machines: all but those that bring older ones to a version, and those that
// the lab says cannot be rehearsed.
func firstTasks(p plan.Plan) int {
	n := 0
	for _, t := range p.Tasks {
		if t.Version == nil && !t.NotRehearsed {
			n++
		}
	}
	return n
}

// TestVariants runs labs that use what the built-in ones do not.
func TestVariants(t *testing.T) {
	const cluster = `
name: v
nodes:
  - {name: cp, count: 3, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w, roles: [worker], cpus: 1, memory: 2GiB}
kubernetes: {version: "1.35", cni: %s}
`
	for name, text := range map[string]string{
		"three control planes": fmt.Sprintf(cluster, "flannel"),
		"bridge":               fmt.Sprintf(cluster, "bridge"),
		"distro": `
name: d
source: distro
nodes:
  - {name: a, roles: [docker], cpus: 1, memory: 1GiB}
  - {name: m, roles: [monitoring], cpus: 1, memory: 2GiB}
docker: {}
monitoring: {retention: 2d, grafana: false}
`,
		"addons": `
name: a
nodes:
  - {name: cp, roles: [control-plane]}
  - {name: w, count: 2, roles: [worker]}
  - {name: files, roles: [nfs]}
kubernetes: {addons: [helm, metrics-server, metallb, gateway, nfs, headlamp, ingress-nginx]}
`,
		"addons on one machine": `
name: one
box: bento/debian-12
nodes: [{name: cp, roles: [control-plane]}]
kubernetes: {addons: [gateway, metallb, nfs, ingress-nginx]}
mirrors: {helm: "http://mirror.class/helm", github: "http://mirror.class/github"}
`,
		"monitoring of Jenkins": `
name: j
nodes:
  - {name: ci, roles: [jenkins], cpus: 2, memory: 2GiB}
  - {name: mon, roles: [monitoring], cpus: 1, memory: 2GiB}
monitoring: {}
`,
		"monitoring in the cluster": `
name: i
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w, count: 2, roles: [worker], cpus: 1, memory: 2GiB}
  - {name: box, cpus: 1, memory: 1GiB}
kubernetes: {}
monitoring: {place: cluster, webhook: "http://chat.school.example/hook"}
`,
		"monitoring of the distribution's": `
name: o
source: distro
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: m-1, roles: [monitoring, worker], cpus: 1, memory: 2GiB}
kubernetes: {}
monitoring: {grafana: false}
`,
		"mirrors and proxy": `
name: m
nodes: [{name: cp, roles: [control-plane, worker], cpus: 2, memory: 3GiB}, {name: j, roles: [jenkins], cpus: 1, memory: 2GiB}]
kubernetes: {version: "1.36", cni: flannel}
jenkins: {port: 8081}
mirrors:
  apt: http://mirror.class/ubuntu
  kubernetes: http://mirror.class/k8s
  docker: http://mirror.class/docker
  jenkins: http://mirror.class/jenkins
  github: http://mirror.class/github
  registry: http://mirror.class:5000
proxy: {http: "http://proxy.class:3128", no_proxy: [mirror.class]}
dns: [192.0.2.53]
`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, text, "")
			up(t, e)
			if ran := up(t, e); len(ran) > 0 {
				t.Errorf("the second up ran %q", ran)
			}
		})
	}
}

// connect reaches a node of the engine's lab.
func connect(t testing.TB, e *engine.Engine, name string) remote.Host {
	t.Helper()
	at, err := e.Provider.Up(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	h, err := e.Dialer.Dial(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func dialOnce(t testing.TB, e *engine.Engine, name string) (remote.Host, error) {
	t.Helper()
	at, err := e.Provider.Up(t.Context(), name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	return e.Dialer.Dial(ctx, at)
}

func machineSpec(e *engine.Engine) machine.Spec {
	return machine.Spec{Lab: e.Plan.Lab, Machines: e.Plan.Machines, PublicKey: e.PublicKey}
}
