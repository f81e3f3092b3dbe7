package plan

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"podium/provision/lab"
	"podium/provision/step"
	"podium/scripts"
)

// FuzzBuild makes a lab by chance and checks what every plan promises.
func FuzzBuild(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		l := randomLab(rand.New(rand.NewPCG(seed, 1)))
		p, err := Build(l, scripts.Guest(), seedScript())
		var problems lab.Problems
		if errors.As(err, &problems) {
			return // such as steps that wait for each other
		}
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, p)
		again, err := Build(randomLab(rand.New(rand.NewPCG(seed, 1))), scripts.Guest(), seedScript())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("the same lab gives another plan:\n%s", diff)
		}
	})
}

// TestRandomLabsBuild shows that FuzzBuild does not pass by giving up: half of the labs by chance have a plan. The others
// have steps that wait for what the lab leaves out.
func TestRandomLabsBuild(t *testing.T) {
	built := 0
	for seed := range uint64(100) {
		if _, err := Build(randomLab(rand.New(rand.NewPCG(seed, 1))), scripts.Guest(), seedScript()); err == nil {
			built++
		}
	}
	if built < 50 {
		t.Errorf("%d of 100 labs have a plan", built)
	}
}

func seedScript() fstest.MapFS {
	return fstest.MapFS{"seed.sh": {Data: []byte("echo $PODIUM_HOSTS\n")}}
}

// checkPlan checks that the order can be carried out, that every edge leads to a task, and that nothing runs on a
// machine before it is there.
func checkPlan(t *testing.T, p Plan) {
	t.Helper()
	booted := map[TaskID]map[string]bool{} // what each task may rely on: machines that run by then
	for _, task := range p.Tasks {
		if booted[task.ID] != nil {
			t.Fatalf("%s stands there twice", task.ID)
		}
		running := map[string]bool{}
		for _, before := range task.After {
			machines, done := booted[before]
			if !done {
				t.Fatalf("%s waits for %s, which does not stand before it", task.ID, before)
			}
			maps.Copy(running, machines)
		}
		if task.Step == StepBoot {
			running[task.Node] = true
		}
		if !running[task.Node] {
			t.Errorf("%s does not wait for its machine", task.ID)
		}
		for _, input := range task.Inputs {
			if !running[input.Node] {
				t.Errorf("%s does not wait for the machine of its input, %s", task.ID, input.Node)
			}
		}
		booted[task.ID] = running
		if !slices.IsSorted(task.After) || len(slices.Compact(slices.Clone(task.After))) != len(task.After) {
			t.Errorf("%s waits for %v: not sorted, or not once each", task.ID, task.After)
		}
		if task.ID != TaskID(task.Node+"/"+task.Step) || task.Timeout <= 0 || task.About == "" {
			t.Errorf("incomplete: %+v", task)
		}
		if (task.Step == StepBoot) != (task.Digest == Digest{}) || (task.Step == StepBoot) != (task.Script.Text == "") {
			t.Errorf("%s: script or digest is not as it should be", task.ID)
		}
	}
}

// randomLab is a lab that lab.Validate accepts, but for its steps: they may wait for each other.
func randomLab(r *rand.Rand) lab.Lab {
	l := lab.Lab{Name: "lab", Provider: lab.ProviderSim, Network: "172.20.0.0/16", Dir: "/"}
	some := func(n int) bool { return r.IntN(n) == 0 }
	if !some(3) {
		l.Kubernetes = &lab.Kubernetes{CNI: pick(r, lab.CNIFlannel, lab.CNIBridge)}
		l.Nodes = append(l.Nodes, lab.Node{Name: "cp", Roles: []string{lab.RoleControlPlane}})
		if some(2) {
			l.Nodes[0].Count = 1 + 2*r.IntN(2)
		}
		if some(4) {
			l.Kubernetes.Etcd = lab.EtcdExternal
			l.Nodes = append(l.Nodes, lab.Node{Name: "db", Count: 1 + 2*r.IntN(3), Roles: []string{lab.RoleEtcd}})
		}
		if !some(4) {
			l.Nodes = append(l.Nodes, lab.Node{Name: "w", Count: 1 + r.IntN(5), Roles: []string{lab.RoleWorker}})
		}
	}
	if some(2) {
		l.Nodes = append(l.Nodes, lab.Node{Name: "ci", Roles: []string{lab.RoleJenkins}})
	}
	if some(2) {
		l.Monitoring = &lab.Monitoring{}
		l.Nodes = append(l.Nodes, lab.Node{Name: "mon", Roles: []string{lab.RoleMonitoring}})
	}
	if some(2) || len(l.Nodes) == 0 {
		l.Nodes = append(l.Nodes, lab.Node{Name: "box", Count: r.IntN(3), Roles: []string{lab.RoleDocker}})
	}
	if some(3) {
		l.Source = lab.SourceDistro
	}
	if some(3) {
		l.Mirrors = lab.Mirrors{Apt: "http://mirror", Registries: map[string]string{"docker.io": "http://a", "quay.io": "http://b", "ghcr.io": "http://c"}}
	}
	if some(3) {
		l.Proxy = &lab.Proxy{HTTP: "http://proxy:3128"}
	}
	if l.Kubernetes != nil && some(3) {
		for _, addon := range lab.Addons() {
			if some(2) {
				l.Kubernetes.Addons = append(l.Kubernetes.Addons, addon)
			}
		}
	}
	lab.Default(&l)
	names := []string{"base", "hosts"}
	for _, row := range step.Catalogue() {
		names = append(names, row.Name)
	}
	for i := range r.IntN(4) {
		s := lab.Step{Name: fmt.Sprintf("own-%d", i), Script: "seed.sh", Timeout: "1m", Vars: map[string]string{"A": "1", "B": "2"}}
		if some(4) {
			s.Name = pick(r, names...)
		}
		if some(2) {
			s.After = []string{pick(r, names...)}
		}
		if some(2) {
			s.On = []string{l.Nodes[r.IntN(len(l.Nodes))].Name}
		}
		names = append(names, s.Name)
		l.Steps = append(l.Steps, s)
	}
	return l
}

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

// BenchmarkBuild plans a Kubernetes lab of a thousand machines.
func BenchmarkBuild(b *testing.B) {
	l := lab.Lab{
		Name: "large", Network: "172.20.0.0/16", Kubernetes: &lab.Kubernetes{PodSubnet: "10.0.0.0/8"},
		Nodes: []lab.Node{{Name: "cp", Roles: []string{lab.RoleControlPlane}}, {Name: "w", Count: 999, Roles: []string{lab.RoleWorker}}},
	}
	lab.Default(&l)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Build(l, scripts.Guest(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Text(&strings.Builder{}, nil, 0); err != nil {
			b.Fatal(err)
		}
	}
}
