package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
)

func TestChangesTouchNothing(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	reasons := func() map[plan.TaskID]string {
		t.Helper()
		changes, err := e.Changes(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all := map[plan.TaskID]string{}
		for _, c := range changes {
			all[c.Task] = c.Reason
		}
		return all
	}
	if got := reasons(); got["w1/boot"] != "machine not made yet" || got["w1/join"] != "missing" {
		t.Errorf("before up: %v", got)
	}
	if e.Dir.Exists() {
		t.Error("Changes has made .podium")
	}
	up(t, e)
	for id, why := range reasons() {
		if why != "" {
			t.Errorf("after up, %s would run: %s", id, why)
		}
	}
	task(e.Plan, "w1/join").Digest.Script = "new"
	task(e.Plan, "w2/join").Digest.Vars = "new"
	f.halt("w1")
	failCall(f, "dial w2", remote.ErrUnreachable)
	f.clear()
	got := reasons()
	for id, want := range map[plan.TaskID]string{
		"w1/boot": "machine is stopped",
		"w1/base": "",
		"w1/join": "script changed (as of the last run: the machine is stopped)",
		"w2/boot": "",
		"w2/join": "variables changed (as of the last run: the node does not answer)",
		"w3/join": "",
	} {
		if got[id] != want {
			t.Errorf("%s: %q, want %q", id, got[id], want)
		}
	}
	for _, call := range f.called("") {
		switch verb, _, _ := strings.Cut(call, " "); verb {
		case "status", "dial", "look", "close":
		default:
			t.Errorf("Changes calls %s", call)
		}
	}
}

func TestStatus(t *testing.T) {
	p := smallLab()
	task(p, "w1/join").Services = []string{"kubelet", "containerd"}
	f := newFakeLab()
	made, _ := newEngine(t, p, f)
	up(t, made)
	e := withoutPlan(made)
	look := func() map[string]NodeStatus {
		t.Helper()
		list, err := e.Status(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]NodeStatus{}
		for i, n := range list {
			if want := []string{"cp", "w1", "w2", "w3"}; i < len(want) && n.Name != want[i] {
				t.Errorf("node %d is %s, want the order of the description", i, n.Name)
			}
			all[n.Name] = n
		}
		return all
	}
	w1 := look()["w1"]
	if w1.Machine != machine.Running || !w1.SSH || w1.Done != 2 || w1.Total != 2 || w1.Address != "192.0.2.11" || w1.Endpoint == nil {
		t.Errorf("w1 is %+v", w1)
	}
	if diff := cmp.Diff([]ServiceStatus{{"kubelet", "active"}, {"containerd", "active"}}, w1.Services); diff != "" {
		t.Error(diff)
	}
	f.halt("w1")
	delete(f.machines, "w2")
	delete(f.machines["w3"].markers, "join")
	all := look()
	if n := all["w1"]; n.Machine != machine.Stopped || n.SSH || n.SSHError != "" || n.Done != 2 || n.Services[0].Active != "" {
		t.Errorf("halted: %+v", n)
	}
	if n := all["w2"]; n.Machine != machine.Missing || n.SSH || n.Done != 0 || n.Total != 2 {
		t.Errorf("destroyed: %+v", n)
	}
	if n := all["w3"]; n.Done != 1 {
		t.Errorf("marker lost: %+v", n)
	}
	failCall(f, "status", errors.New("boom"))
	if n := look()["w3"]; n.Machine != machine.Unknown || !n.SSH {
		t.Errorf("provider fails: %+v", n)
	}
}
