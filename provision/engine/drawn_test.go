package engine

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"podium/provision/lab"
	"podium/provision/plan"
	"podium/provision/state"
)

// drawPlan makes a plan from lines "w1/base after w1/boot, cp/init". Boots need no line of their own; a task without
// "after" comes after its machine's boot.
func drawPlan(lines ...string) plan.Plan {
	p := plan.Plan{Lab: lab.Lab{Name: "test", Provider: lab.ProviderSim, Network: "192.0.2.0/24", User: "podium"}}
	var tasks []plan.Task
	for _, line := range lines {
		id, after, _ := strings.Cut(line, " after ")
		node, step, _ := strings.Cut(strings.TrimSpace(id), "/")
		if !slices.ContainsFunc(p.Machines, func(m lab.Machine) bool { return m.Name == node }) {
			p.Machines = append(p.Machines, lab.Machine{
				Name: node, Roles: []string{"worker"}, Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + len(p.Machines))}),
			})
			p.Tasks = append(p.Tasks, plan.Task{ID: plan.TaskID(node + "/boot"), Node: node, Step: plan.StepBoot, Timeout: time.Minute})
		}
		t := plan.Task{
			ID: plan.TaskID(node + "/" + step), Node: node, Step: step, Timeout: time.Minute, Hint: "look at " + step,
			Script: plan.Script{Name: step + ".sh", Text: "#!/bin/bash\necho " + step + "\n"},
			Vars:   map[string]string{"PODIUM_NODE": node},
			Digest: plan.Digest{Script: "s-" + step, Vars: "v-" + node, Files: "f"},
		}
		if after == "" {
			after = node + "/boot"
		}
		for a := range strings.SplitSeq(after, ",") {
			t.After = append(t.After, plan.TaskID(strings.TrimSpace(a)))
		}
		tasks = append(tasks, t)
	}
	p.Tasks = append(p.Tasks, tasks...)
	return p
}

// smallLab is a cluster in small: every node base, the first init, the others join, then a check.
func smallLab() plan.Plan { return drawPlan(smallLabLines()...) }

func smallLabLines() []string {
	return []string{
		"cp/base", "w1/base", "w2/base", "w3/base", "cp/init after cp/base",
		"w1/join after w1/base, cp/init", "w2/join after w2/base, cp/init", "w3/join after w3/base, cp/init",
		"cp/ready after w1/join, w2/join, w3/join",
	}
}

// task finds a task of a plan to change it.
func task(p plan.Plan, id plan.TaskID) *plan.Task {
	for i := range p.Tasks {
		if p.Tasks[i].ID == id {
			return &p.Tasks[i]
		}
	}
	panic("no task " + id)
}

// newEngine is an engine on a fake lab, with retries that do not wait long.
func newEngine(t testing.TB, p plan.Plan, f *fakeLab) (*Engine, *recorder) {
	t.Helper()
	dir, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	return &Engine{
		Plan: p, Provider: f, Dialer: f, Dir: dir, Sink: r,
		Retry: Retry{Tries: 4, First: time.Millisecond, Most: 4 * time.Millisecond},
	}, r
}

// outcomes is how the tasks of a run ended, by name.
func outcomes(s Summary) map[plan.TaskID]Outcome {
	all := map[plan.TaskID]Outcome{}
	for _, t := range s.Tasks {
		all[t.ID] = t.Outcome
	}
	return all
}

// up is an Up that has to succeed.
func up(t testing.TB, e *Engine) Summary {
	t.Helper()
	s, err := e.Up(context.Background(), UpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
