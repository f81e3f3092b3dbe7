package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/event"
	"podium/provision/plan"
	"podium/provision/step"
)

// repairPlan is a plan of repairs in small: every machine is inspected, and a worker joins again where that reported bad
// credentials.
func repairPlan() plan.Plan {
	p := drawPlan("cp/inspect", "w1/inspect", "w1/rejoin after w1/inspect, cp/inspect")
	task(p, "w1/rejoin").Version = &step.Version{Facts: []string{"credentials"}, Want: "good"}
	return p
}

func TestRepair(t *testing.T) {
	const found = "finding_1=the clock is wrong -> set it\nbeyond_2=the disk is full -> delete something\n"
	for _, tt := range []struct {
		name     string
		dryRun   bool
		change   func(f *fakeLab)
		script   func(r scriptRun) (string, error)
		runs     []string // scripts that ran
		findings []string
		failures []plan.TaskID
	}{
		{name: "nothing is wrong", runs: []string{"cp/inspect", "w1/inspect"}},
		{
			name:     "findings, and a step that one of them makes due",
			script:   onNode("w1/inspect", found+"credentials=expired\n", nil),
			runs:     []string{"cp/inspect", "w1/inspect", "w1/rejoin"},
			findings: []string{"w1/inspect the clock is wrong -> set it", "w1/inspect the disk is full -> delete something (by hand)"},
		},
		{
			name: "a dry run fixes nothing", dryRun: true,
			script:   onNode("w1/inspect", found+"credentials=expired\n", nil),
			runs:     []string{"cp/inspect", "w1/inspect"},
			findings: []string{"w1/inspect the clock is wrong -> set it", "w1/inspect the disk is full -> delete something (by hand)"},
		},
		{
			name: "a stopped machine is started", change: func(f *fakeLab) { f.halt("w1") },
			runs:     []string{"cp/inspect", "w1/inspect"},
			findings: []string{"w1/boot the machine is stopped -> start it"},
		},
		{
			name: "a dry run starts nothing", dryRun: true, change: func(f *fakeLab) { f.halt("w1") },
			runs:     []string{"cp/inspect"},
			findings: []string{"w1/boot the machine is stopped and cannot be inspected -> start it, then inspect it"},
		},
		{
			name: "a machine that is not there", change: func(f *fakeLab) { _ = f.Destroy(context.Background(), "w1") },
			runs:     []string{"cp/inspect"},
			findings: []string{"w1/boot the machine is missing -> create it with: podium up (by hand)"},
		},
		{
			name: "a step that fails", script: onNode("cp/inspect", "", exitCode(1)),
			runs:     []string{"cp/inspect", "w1/inspect"},
			failures: []plan.TaskID{"cp/inspect"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeLab()
			e, events := newEngine(t, drawPlan("cp/base", "w1/base"), f)
			up(t, e)
			if tt.change != nil {
				tt.change(f)
			}
			f.clear()
			if tt.script != nil {
				f.script = func(_ context.Context, r scriptRun) (string, error) { return tt.script(r) }
			}
			e.Plan = repairPlan()
			did, err := e.Repair(context.Background(), RepairOptions{DryRun: tt.dryRun})
			if _, failed := errors.AsType[*RunError](err); failed != (tt.failures != nil) {
				t.Fatalf("repair gives %v", err)
			}
			var runs, findings []string
			for _, call := range f.called("run ") {
				runs = append(runs, strings.TrimPrefix(call, "run "))
			}
			for _, f := range did.Findings {
				line := f.Node + "/" + f.Step + " " + f.What + " -> " + f.Remedy
				if f.Beyond {
					line += " (by hand)"
				}
				findings = append(findings, line)
			}
			var failures []plan.TaskID
			for _, f := range did.Failures {
				failures = append(failures, f.ID)
				if f.Resume != "podium repair" {
					t.Errorf("%s: resume by %q", f.ID, f.Resume)
				}
			}
			if diff := cmp.Diff(tt.runs, runs); diff != "" {
				t.Errorf("scripts that ran (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.failures, failures); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
			if got := len(events.of(event.RunFinished)); got != 2 { // that of up, too
				t.Errorf("%d ends of runs told", got)
			}
		})
	}
}

// What repair runs leaves no marker: up must not take it for a step that was done.
func TestRepairLeavesNoMarkers(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, drawPlan("cp/base"), f)
	up(t, e)
	e.Plan = drawPlan("cp/inspect")
	f.script = func(context.Context, scriptRun) (string, error) { return "note=1\n", exitCode(75) }
	if _, err := e.Repair(context.Background(), RepairOptions{}); err == nil {
		t.Error("a step that always fails is no error")
	}
	if got := len(f.called("run cp/inspect")); got != e.Retry.Tries {
		t.Errorf("tried %d times, want %d: the same retries as up", got, e.Retry.Tries)
	}
	f.script = nil
	if _, err := e.Repair(context.Background(), RepairOptions{}); err != nil {
		t.Error(err)
	}
	s, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, there := s.Steps["cp"]["inspect"]; there || f.machines["cp"].markers["inspect"] != "" {
		t.Error("a repair has left its marker")
	}
	if _, there := s.Steps["cp"]["base"]; !there {
		t.Error("repair has forgotten what up did")
	}
}

// onNode plays one script; every other one succeeds.
func onNode(id, facts string, err error) func(scriptRun) (string, error) {
	return func(r scriptRun) (string, error) {
		if r.ID() == id {
			return facts, err
		}
		return "", nil
	}
}
