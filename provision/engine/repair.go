package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// RepairOptions says how Repair works.
type RepairOptions struct {
	Look bool // only look, and say what is wrong; nothing is changed or started
}

// Finding is something wrong with a node.
type Finding struct {
	Node   string
	Step   string // that found it
	What   string
	Remedy string // what is done about it; for what podium cannot repair, what a person can do
	Beyond bool   // podium cannot repair it
}

// Repaired is what Repair found. With RepairOptions.Look nothing of it has been done.
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

// Repair looks for what a lab lacks that was off for months, and sets it right. Engine.Plan has to be a plan of
// step.Repairs. Machines that do not run are started first. What does not depend on a failed task is done all the same;
// then Repair returns a *RunError. With RepairOptions.Look it changes nothing at all.
func (e *Engine) Repair(ctx context.Context, o RepairOptions) (Repaired, error) {
	s, err := e.Dir.Load()
	if err != nil {
		return Repaired{}, err
	}
	if err := otherProvider(s, e.Plan.Lab.Provider); err != nil {
		return Repaired{}, err
	}
	g, err := newGraph(e.Plan.Tasks, func(t plan.Task) time.Duration { return t.Timeout })
	if err != nil {
		return Repaired{}, err
	}
	j, err := e.open(s)
	if err != nil {
		return Repaired{}, err
	}
	r := &repair{
		run: &run{
			job: j, retry: cmp.Or(e.Retry, DefaultRetry()), started: time.Now(), graph: g, nodes: map[string]*node{},
			results: make([]TaskResult, len(e.Plan.Tasks)),
		},
		look: o.Look, facts: map[string]map[string]string{},
	}
	for _, m := range e.Plan.Machines {
		r.nodes[m.Name] = j.node(m.Name, j.scripts)
		r.facts[m.Name] = map[string]string{}
	}
	did, err := r.all(ctx)
	return did, errors.Join(err, j.close())
}

// repair is one Repair under way.
type repair struct {
	*run
	look bool

	factsMu  sync.Mutex
	facts    map[string]map[string]string // what the steps of this run reported, by node
	findings []Finding
}

func (r *repair) all(ctx context.Context) (Repaired, error) {
	r.emit(event.Event{Kind: event.RunStarted, Tasks: len(r.Plan.Tasks)})
	there, err := r.machines(ctx)
	if err == nil {
		r.before = there
		limit := r.limit()
		s := schedule{
			graph: r.graph, limit: limit, boots: limit, boot: func(i int) bool { return r.boots(i) },
			skip: r.needless, run: r.one, end: r.unrun,
		}
		s.all(ctx)
		for _, n := range r.nodes {
			n.close()
		}
		err = r.verdict(ctx)
	}
	did := Repaired{Lab: r.Plan.Lab.Name, Duration: time.Since(r.started), Findings: r.findings, Failures: r.failures}
	slices.SortStableFunc(did.Findings, func(a, b Finding) int {
		return cmp.Compare(r.graph.index[plan.TaskID(a.Node+"/"+a.Step)], r.graph.index[plan.TaskID(b.Node+"/"+b.Step)])
	})
	finished := event.Event{Kind: event.RunFinished, Duration: did.Duration}
	if err != nil {
		finished.Error = err.Error()
	}
	r.emit(finished)
	return did, err
}

// needless reports whether a step has nothing to do, going by what others have reported.
func (r *repair) needless(i int) bool {
	t := r.Plan.Tasks[i]
	if t.Version == nil {
		return false
	}
	r.factsMu.Lock()
	defer r.factsMu.Unlock()
	has := t.Version.Has(r.facts[t.Node])
	return r.look || has == "" || t.Version.Fits(has)
}

// unrun notes a task that did not run.
func (r *repair) unrun(i int, how Outcome, by int) {
	t := r.Plan.Tasks[i]
	result := TaskResult{ID: t.ID, Node: t.Node, Step: t.Step, Outcome: how}
	if how == Blocked {
		result.Reason = string(r.Plan.Tasks[by].ID)
		r.emit(event.Event{Kind: event.TaskBlocked, Node: t.Node, Step: t.Step, Text: result.Reason})
	}
	r.settle(i, result)
}

// one runs one task to its end.
func (r *repair) one(ctx context.Context, i int) Outcome {
	t := r.Plan.Tasks[i]
	result := TaskResult{ID: t.ID, Node: t.Node, Step: t.Step, Start: time.Since(r.started), Outcome: Done}
	do := r.step
	if t.Step == plan.StepBoot {
		do = r.reachNode
	}
	start := time.Now()
	r.emit(event.Event{Kind: event.TaskStarted, Node: t.Node, Step: t.Step, Attempt: 1})
	err := do(ctx, t, &result)
	result.Duration = time.Since(start)
	switch failure, failed := errors.AsType[*TaskError](err); {
	case err == nil:
		r.emit(event.Event{Kind: event.TaskDone, Node: t.Node, Step: t.Step, Attempt: result.Attempts, Duration: result.Duration, Log: result.Log})
	case errors.Is(err, errUnseen):
		result.Outcome = Failed // told as a finding
	case !failed || ctx.Err() != nil:
		result.Outcome = Cancelled
	default:
		failure.Resume = "podium repair " + remote.Quote(r.Dir.Lab())
		result.Outcome = Failed
		r.mu.Lock()
		r.failures = append(r.failures, failure)
		r.mu.Unlock()
		r.emit(event.Event{
			Kind: event.TaskFailed, Node: t.Node, Step: t.Step, Attempt: result.Attempts, Duration: result.Duration,
			Error: failure.Err.Error(), Text: failure.Hint, Log: failure.Log,
		})
	}
	r.settle(i, result)
	return result.Outcome
}

// errUnseen is a node that nothing more can be said of.
var errUnseen = errors.New("the machine does not run")

// reachNode connects to a node. One that does not run is started; who only looks says so, and looks no further there.
func (r *repair) reachNode(ctx context.Context, t plan.Task, _ *TaskResult) error {
	is := cmp.Or(r.before[t.Node], machine.Missing)
	switch {
	case is == machine.Missing:
		r.found(Finding{Node: t.Node, Step: t.Step, What: "the machine is not there", Remedy: "podium up makes it", Beyond: true})
		return errUnseen
	case is != machine.Running && r.look:
		r.found(Finding{Node: t.Node, Step: t.Step, What: "the machine is " + string(is) + ", so nobody knows more", Remedy: "start it, then look"})
		return errUnseen
	case is != machine.Running:
		r.found(Finding{Node: t.Node, Step: t.Step, What: "the machine is " + string(is), Remedy: "start it"})
	}
	limit, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	n := r.nodes[t.Node]
	if err := n.boot(limit); err != nil {
		return r.failure(t, nil, err)
	}
	endpoint, _ := n.at(ctx)
	r.record.Update(func(s *state.State) {
		m := s.Machines[t.Node]
		m.Endpoint = &endpoint
		s.Machines[t.Node] = m
	})
	return nil
}

// step runs a step on its node and takes what it found.
func (r *repair) step(ctx context.Context, t plan.Task, result *TaskResult) error {
	log, err := r.Dir.Log(t.Node, t.Step)
	if err != nil {
		return r.failure(t, nil, err)
	}
	defer log.Close()
	result.Log = log.Path()
	out := newOutput(t.Node, t.Step, log, r.events)
	defer out.flush()
	for {
		result.Attempts++
		if err := out.try(result.Attempts, time.Now()); err != nil {
			return r.failure(t, out, err)
		}
		err := r.try(ctx, t, out)
		out.flush()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !worthRetry(err) || result.Attempts >= r.retry.Tries:
			return r.failure(t, out, err)
		}
		pause := r.retry.pause(result.Attempts)
		r.emit(event.Event{Kind: event.TaskRetrying, Node: t.Node, Step: t.Step, Attempt: result.Attempts, Duration: pause, Error: out.clean(err.Error())})
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// try runs a step once: it leaves nothing on its node but what it repairs.
func (r *repair) try(ctx context.Context, t plan.Task, out *output) error {
	vars := maps.Clone(t.Vars)
	for _, in := range t.Inputs {
		facts, err := r.input(ctx, t, in, out)
		if err != nil {
			return fmt.Errorf("%s on %s: %w", in.Script.Name, in.Node, err)
		}
		out.conceal(slices.Collect(maps.Values(facts)))
		maps.Copy(vars, facts)
	}
	vars["PODIUM_REPAIR"] = "fix"
	if r.look {
		vars["PODIUM_REPAIR"] = "plan"
	}
	vars["PODIUM_NOW"] = strconv.FormatInt(time.Now().Unix(), 10)
	text, err := r.scripts.inputBundle(plan.Input{Node: t.Node, Script: t.Script, Vars: vars})
	if err != nil {
		return err
	}
	report, err := r.nodes[t.Node].run(ctx, session{step: t.Step, script: t.Script.Name, bundle: text, timeout: t.Timeout, out: out})
	if err != nil {
		return err
	}
	r.factsMu.Lock()
	maps.Copy(r.facts[t.Node], report.Marker.Facts)
	r.factsMu.Unlock()
	for _, f := range findings(t, report.Marker.Facts) {
		r.found(f)
	}
	return nil
}

// found keeps a finding, and tells of it.
func (r *repair) found(f Finding) {
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
