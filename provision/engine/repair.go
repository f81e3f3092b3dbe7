package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/plan"
)

// RepairOptions says how Repair works.
type RepairOptions struct {
	DryRun bool // only say what is wrong; nothing is changed or started
}

// Finding is something wrong with a node.
type Finding struct {
	Node   string
	Step   string // that found it
	What   string
	Remedy string // what is done about it; for what podium cannot repair, what a person can do
	Beyond bool   // podium cannot repair it
}

// Repaired is what Repair found. With RepairOptions.DryRun nothing of it has been done.
type Repaired struct {
	Lab      string
	Duration time.Duration
	Findings []Finding    // in the plan's order
	Failures []*TaskError // in the plan's order
}

// Left counts the findings that podium cannot repair.
func (r Repaired) Left() int {
	n := 0
	for _, f := range r.Findings {
		if f.Beyond {
			n++
		}
	}
	return n
}

// Repair looks for what a lab lacks that was off for months, and fixes it. Engine.Plan has to be a plan of
// step.Repairs. Machines that do not run are started first. What does not depend on a failed task is done all the same;
// then Repair returns a *RunError. With RepairOptions.DryRun it changes nothing at all.
func (e *Engine) Repair(ctx context.Context, o RepairOptions) (Repaired, error) {
	s, err := e.Dir.Load()
	if err != nil {
		return Repaired{}, err
	}
	if err := otherProvider(s, e.Plan.Lab.Provider); err != nil {
		return Repaired{}, err
	}
	r, err := e.newRun(s, "repair", func(t plan.Task) time.Duration { return t.Timeout })
	if err != nil {
		return Repaired{}, err
	}
	p := &repairRun{run: r, dryRun: o.DryRun, facts: map[string]map[string]string{}}
	r.work = p
	for _, m := range e.Plan.Machines {
		p.facts[m.Name] = map[string]string{}
	}
	did, err := p.repair(ctx)
	return did, errors.Join(err, r.close())
}

// repairRun is one Repair under way.
type repairRun struct {
	*run
	dryRun bool

	factsMu  sync.Mutex
	facts    map[string]map[string]string // what the steps of this run reported, by node
	findings []Finding
}

func (r *repairRun) repair(ctx context.Context) (Repaired, error) {
	r.emit(event.Event{Kind: event.RunStarted, Tasks: r.Plan.Steps(), Text: r.verb})
	var err error
	if r.before, err = r.machines(ctx); err == nil {
		err = r.tasks(ctx)
	}
	did := Repaired{Lab: r.Plan.Lab.Name, Duration: time.Since(r.started), Findings: r.findings, Failures: r.failures}
	slices.SortStableFunc(did.Findings, func(a, b Finding) int {
		return cmp.Compare(r.graph.index[plan.TaskID(a.Node+"/"+a.Step)], r.graph.index[plan.TaskID(b.Node+"/"+b.Step)])
	})
	r.finished(did.Duration, err)
	return did, err
}

// due goes by what earlier steps have reported: a step with a Version runs only where one has reported another.
func (r *repairRun) due(t plan.Task) (why string, yes bool) {
	if t.Version == nil {
		return "", true
	}
	r.factsMu.Lock()
	defer r.factsMu.Unlock()
	has := t.Version.Has(r.facts[t.Node])
	return has, !r.dryRun && has != "" && !t.Version.Fits(has)
}

// boot connects to a node. A machine that does not run is started; a dry run only says so, and goes no further there.
func (r *repairRun) boot(ctx context.Context, t plan.Task, result *TaskResult) error {
	is := r.was(t.Node)
	down := Finding{Node: t.Node, Step: t.Step, What: "the machine is " + string(is), Remedy: "start it"}
	switch {
	case is == machine.Running:
		return r.reach(ctx, t)
	case is == machine.Missing:
		down.Remedy, down.Beyond = "create it with: podium up"+r.LabArg, true
	case r.dryRun:
		down.What, down.Remedy = down.What+" and cannot be inspected", "start it, then inspect it"
	default:
		r.found(down)
		return r.reach(ctx, t)
	}
	r.found(down)
	result.Outcome, result.Reason = Blocked, down.What
	return nil
}

// bundle leaves nothing on its node but what the step repairs.
func (r *repairRun) bundle(t plan.Task, inputs map[string]string) (string, error) {
	vars := maps.Clone(t.Vars)
	maps.Copy(vars, inputs)
	vars["PODIUM_REPAIR"] = "fix"
	if r.dryRun {
		vars["PODIUM_REPAIR"] = "plan"
	}
	vars["PODIUM_NOW"] = strconv.FormatInt(time.Now().Unix(), 10)
	return r.scripts.inputBundle(plan.Input{Node: t.Node, Script: t.Script, Vars: vars})
}

// done takes what a step found.
func (r *repairRun) done(t plan.Task, a answer, _ time.Duration) (map[string]string, error) {
	r.factsMu.Lock()
	maps.Copy(r.facts[t.Node], a.Marker.Facts)
	r.factsMu.Unlock()
	for _, f := range findings(t, a.Marker.Facts) {
		r.found(f)
	}
	return nil, nil
}

// found keeps a finding, and tells of it.
func (r *repairRun) found(f Finding) {
	r.factsMu.Lock()
	r.findings = append(r.findings, f)
	r.factsMu.Unlock()
	r.note(f.Node, "%s: %s", f.What, f.Remedy)
}

// findings are those among the facts of a step, in their order.
func findings(t plan.Task, facts map[string]string) []Finding {
	numbers := map[int]Finding{}
	for key, value := range facts {
		kind, number, _ := strings.Cut(key, "_")
		n, err := strconv.Atoi(number)
		if err != nil || kind != "finding" && kind != "beyond" {
			continue
		}
		what, remedy, _ := strings.Cut(value, " -> ")
		numbers[n] = Finding{Node: t.Node, Step: t.Step, What: what, Remedy: remedy, Beyond: kind == "beyond"}
	}
	var list []Finding
	for _, n := range slices.Sorted(maps.Keys(numbers)) {
		list = append(list, numbers[n])
	}
	return list
}
