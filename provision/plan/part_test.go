package plan

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"podium/provision/lab"
	"podium/scripts"
)

// Every machine of every lab can be asked for alone: its plan can be carried out, and holds nothing of machines that
// take no part.
func TestPartOfEveryLab(t *testing.T) {
	files, err := filepath.Glob("../../labs/*/lab.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no labs: %v", err)
	}
	for _, file := range files {
		checkParts(t, load(t, file).Lab, os.DirFS(filepath.Dir(file)))
	}
	for seed := range uint64(10) {
		l := randomLab(rand.New(rand.NewPCG(seed, 1)))
		if _, err := Build(l, scripts.Guest(), seedScript()); err == nil {
			checkParts(t, l, seedScript())
		}
	}
}

func checkParts(t *testing.T, l lab.Lab, own fs.FS) {
	t.Helper()
	for _, m := range lab.Machines(l) {
		p, err := Build(l, scripts.Guest(), own, m.Name)
		if err != nil {
			t.Fatalf("%s: %s alone: %v", l.Name, m.Name, err)
		}
		checkPlan(t, p)
		for _, task := range p.Tasks {
			if !slices.ContainsFunc(p.Machines, func(m lab.Machine) bool { return m.Name == task.Node }) {
				t.Errorf("%s: %s alone: %s is in the plan", l.Name, m.Name, task.ID)
			}
		}
	}
}

func TestPartTakesWhatItNeeds(t *testing.T) {
	for _, c := range []struct{ lab, on, want string }{
		{"k8s-basic", "w1", "cp w1"},
		{"k8s-basic", "cp", "cp"},
		{"k8s-basic", "w2 w3", "cp w2 w3"},
		{"k8s-ha", "w1", "cp1 cp2 cp3 w1"},
		{"k8s-external-etcd", "etcd2", "etcd1 etcd2 etcd3"},
	} {
		full := load(t, "../../labs/"+c.lab+"/lab.yaml")
		p, err := Build(full.Lab, scripts.Guest(), nil, strings.Fields(c.on)...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range p.Machines {
			got = append(got, m.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s on %s: %s, want %s", c.lab, c.on, strings.Join(got, " "), c.want)
		}
		if !p.Partial() || full.Partial() {
			t.Errorf("%s on %s: partial: %v, the whole: %v", c.lab, c.on, p.Partial(), full.Partial())
		}
	}
}

// What is done for a part need not be done once more for the whole, but for the checks that wait for all nodes.
func TestPartChangesFewTasks(t *testing.T) {
	full := load(t, "../../labs/k8s-basic/lab.yaml")
	p, err := Build(full.Lab, scripts.Guest(), nil, "w1")
	if err != nil {
		t.Fatal(err)
	}
	for _, some := range p.Tasks {
		whole := task(t, full, some.ID)
		if same := some.Digest == whole.Digest; same == (some.Step == "kube-ready") {
			t.Errorf("%s: the same in both plans: %v", some.ID, same)
		}
	}
	ready := task(t, p, "cp/kube-ready")
	if got := ready.Vars["PODIUM_KUBE_WORKERS"]; got != "w1" {
		t.Errorf("kube-ready waits for the workers %q", got)
	}
	if !slices.Contains(ready.After, "w1/kubeadm-join") {
		t.Errorf("kube-ready comes after %v", ready.After)
	}
}
