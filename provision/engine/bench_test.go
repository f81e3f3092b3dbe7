package engine

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"podium/labs"
	"podium/provision/lab"
	"podium/provision/plan"
	"podium/scripts"
)

// clusterLab is a cluster of n nodes: one control plane, the rest workers, as labs/monitoring has them.
func clusterLab(t testing.TB, n int) plan.Plan {
	t.Helper()
	return labOf(t, fmt.Sprintf(`network: 10.0.0.0/20
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w, count: %d, roles: [worker], cpus: 1, memory: 2GiB}
  - {name: ops, roles: [monitoring], memory: 3GiB}
kubernetes: {version: "1.36", cni: flannel, pod_subnet: 172.16.0.0/12}
monitoring: {}
`, n-2))
}

// labOf is the plan of a simulated lab.
func labOf(t testing.TB, description string) plan.Plan {
	t.Helper()
	file := filepath.Join(t.TempDir(), lab.FileName)
	if err := os.WriteFile(file, []byte("name: bench\nprovider: sim\n"+description), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := lab.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(l, scripts.Guest(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// k8sBasic is the plan of the built-in lab: four nodes, the real scripts.
func k8sBasic(t testing.TB) plan.Plan {
	t.Helper()
	text, err := fs.ReadFile(labs.FS(), "k8s-basic/lab.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), lab.FileName)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := lab.LoadWith(file, lab.LoadOptions{Provider: lab.ProviderSim})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(l, scripts.Guest(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// spans is the least and the most that steps take, in seconds, on a laptop with a good line; others take other.
var (
	spans = map[string][2]float64{
		plan.StepBoot: {20, 60}, "hosts": {0.2, 1}, "base": {5, 20}, "kernel": {1, 3}, "containerd": {10, 30}, "kube-packages": {10, 40},
		"kube-images": {20, 60}, "kubeadm-init": {15, 45}, "cni-flannel": {3, 10}, "kubeadm-join": {5, 15}, "kube-ready": {10, 30},
		"node-exporter": {3, 10}, "prometheus": {5, 20}, "grafana": {10, 40}, "monitoring-ready": {5, 15},
	}
	other = [2]float64{5, 40}
)

// durations gives every task a random time: within its step's span, or all steps within the same one.
func durations(p plan.Plan, seed uint64, alike bool, second time.Duration) map[string]time.Duration {
	random := rand.New(rand.NewPCG(seed, 2))
	all := map[string]time.Duration{}
	for _, t := range p.Tasks {
		if t.Version != nil {
			continue // new machines do not run it
		}
		span, ok := spans[t.Step]
		if !ok || alike && t.Step != plan.StepBoot {
			span = other
		}
		all[string(t.ID)] = time.Duration(float64(second) * (span[0] + random.Float64()*(span[1]-span[0])))
	}
	return all
}

// BenchmarkMakespan measures how long up takes against the longest chain of its tasks (x-critical) and against the
// least that any order could take with so many places (x-bound): the longer of that chain and of all work divided by
// the places. Tasks only wait, for random times; a second lasts 5 ms. An up that comes again (known) knows what each
// task took before. steps=alike gives all steps the same span, so that no chain stands out.
func BenchmarkMakespan(b *testing.B) {
	const second, places = 5 * time.Millisecond, 16
	for _, steps := range []string{"real", "alike"} {
		for _, nodes := range []int{4, 20, 100} {
			for _, known := range []bool{false, true} {
				p := clusterLab(b, nodes)
				b.Run(fmt.Sprintf("steps=%s/nodes=%d/known=%v", steps, nodes, known), func(b *testing.B) {
					var critical, bound float64
					for i := range b.N {
						took := durations(p, uint64(i), steps == "alike", second)
						c, o := measure(b, p, took, places, known)
						critical += c
						bound += o
					}
					b.ReportMetric(critical/float64(b.N), "x-critical")
					b.ReportMetric(bound/float64(b.N), "x-bound")
				})
			}
		}
	}
}

// measure makes a lab whose tasks take the given times.
func measure(b *testing.B, p plan.Plan, took map[string]time.Duration, places int, known bool) (critical, bound float64) {
	f := newFakeLab()
	f.bootTime = func(node string) time.Duration { return took[node+"/boot"] }
	f.script = func(ctx context.Context, r scriptRun) (string, error) {
		return "joined_version=1.36.3\n", sleep(ctx, took[r.ID()]) // so that nothing has to be upgraded
	}
	e, _ := newEngine(b, p, f)
	e.Sink = nil
	e.Parallel = places
	if known {
		up(b, e)
		clear(f.machines)
	}
	s := up(b, e)
	g, err := newGraph(p.Tasks, func(t plan.Task) time.Duration { return took[string(t.ID)] })
	if err != nil {
		b.Fatal(err)
	}
	longest := g.critical(func(i int) time.Duration { return took[string(p.Tasks[i].ID)] })
	var work time.Duration
	for _, d := range took {
		work += d
	}
	return float64(s.Makespan) / float64(longest), float64(s.Makespan) / float64(max(longest, work/time.Duration(places)))
}

// BenchmarkNodes measures what a node costs the engine itself: tasks take no time and nodes live in memory.
func BenchmarkNodes(b *testing.B) {
	for _, nodes := range []int{100, 300, 1000} {
		p := clusterLab(b, nodes)
		b.Run(fmt.Sprint("nodes=", nodes), func(b *testing.B) {
			var took time.Duration
			var most uint64
			for range b.N {
				e, _ := newEngine(b, p, newFakeLab())
				e.Sink = nil
				runtime.GC()
				var before runtime.MemStats
				runtime.ReadMemStats(&before)
				took += up(b, e).Duration
				var after runtime.MemStats
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc-min(after.HeapAlloc, before.HeapAlloc))
			}
			b.ReportMetric(float64(took.Microseconds())/float64(b.N*nodes), "µs/node")
			b.ReportMetric(float64(most)/1024/float64(nodes), "KiB/node")
		})
	}
}

// dockerLab is n nodes with the Docker engine.
func dockerLab(t testing.TB, n int) plan.Plan {
	t.Helper()
	return labOf(t, fmt.Sprintf("network: 10.0.0.0/20\nnodes:\n  - {name: n, count: %d, roles: [docker], cpus: 1, memory: 1GiB}\ndocker: {}\n", n))
}
