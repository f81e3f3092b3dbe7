package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/state"
)

// Up carries out the plan: it boots what does not run, asks each node what was done on it, and runs what is missing or
// changed, everything as soon as it can start. What does not depend on a failed task is done all the same; then Up
// returns a *RunError that names every failure. When ctx ends, it ends what runs on the nodes and returns an error that
// wraps ctx's. In all cases the machines are kept, the state is saved, and another Up goes on from there.
//
// It refuses, before it touches anything: a state file that is broken (state.ErrBroken) or of a newer podium
// (state.ErrNewer), another provider than that of the machines there are (ErrOtherProvider), and a version of Kubernetes
// that the cluster cannot be brought to (ErrVersion), and a cluster without any of its control planes (ErrControlPlanes)
// or without one of its machines of etcd (ErrEtcd).
func (e *Engine) Up(ctx context.Context, o UpOptions) (Summary, error) {
	r, err := e.newRun(o)
	if err != nil {
		return Summary{}, err
	}
	return r.up(ctx)
}

// run is one Up under way.
type run struct {
	*job
	options UpOptions
	retry   Retry
	started time.Time
	ahead   string // the upgrade that this run is going to do; empty: none

	forced map[plan.TaskID]bool
	graph  *graph
	nodes  map[string]*node
	before map[string]machine.State // what the provider had when the run began

	closing sync.WaitGroup // connections that are being closed

	mu       sync.Mutex
	results  []TaskResult // by place in the plan
	failures []*TaskError
}

// newRun checks what can be checked without touching anything.
func (e *Engine) newRun(o UpOptions) (*run, error) {
	forced, err := forcedTasks(e.Plan, o.Force)
	if err != nil {
		return nil, err
	}
	s, err := e.Dir.Load()
	if err != nil {
		return nil, err
	}
	if err := otherProvider(s, e.Plan.Lab.Provider); err != nil {
		return nil, err
	}
	if err := cmp.Or(e.keepsControlPlane(s), e.keepsEtcd(s)); err != nil {
		return nil, err
	}
	ahead, err := e.upgrade(s)
	if err != nil {
		return nil, err
	}
	g, err := newGraph(e.Plan.Tasks, guess(s, e.Plan.Tasks))
	if err != nil {
		return nil, err
	}
	j, err := e.open(s)
	if err != nil {
		return nil, err
	}
	r := &run{
		job: j, options: o, retry: cmp.Or(e.Retry, DefaultRetry()), started: time.Now(),
		ahead: ahead, forced: forced, graph: g, nodes: map[string]*node{}, results: make([]TaskResult, len(e.Plan.Tasks)),
	}
	for _, m := range e.Plan.Machines {
		r.nodes[m.Name] = j.node(m.Name, j.scripts)
	}
	for i, t := range e.Plan.Tasks {
		r.results[i] = TaskResult{ID: t.ID, Node: t.Node, Step: t.Step}
		r.nodes[t.Node].need()
		for _, in := range t.Inputs {
			r.nodes[in.Node].need()
		}
	}
	return r, nil
}

func (r *run) up(ctx context.Context) (Summary, error) {
	r.emit(event.Event{Kind: event.RunStarted, Tasks: len(r.Plan.Tasks)})
	err := r.finishRestore(ctx)
	if err == nil {
		err = r.prepare(ctx)
	}
	if err == nil && r.ahead != "" {
		r.note("", "%s", r.ahead)
	}
	if err == nil {
		r.schedule(ctx)
		err = r.verdict(ctx)
	}
	var s Summary
	if err == nil {
		err = r.afterwards(ctx, &s)
	}
	r.summarize(&s)
	finished := event.Event{Kind: event.RunFinished, Duration: s.Duration}
	if err != nil {
		finished.Error = err.Error()
	}
	r.emit(finished)
	return s, errors.Join(err, r.close())
}

// afterwards is what remains once every step is done: machines that were started anew get their services back, and the
// lab's first good state is kept.
func (r *run) afterwards(ctx context.Context, s *Summary) error {
	var restarted []string
	for _, m := range r.Plan.Machines {
		if r.before[m.Name] == machine.Stopped {
			restarted = append(restarted, m.Name)
		}
	}
	err := r.recover(ctx, restarted, r.nodes)
	for _, name := range restarted {
		r.nodes[name].close()
	}
	if err == nil && r.options.Prune {
		err = r.prune(ctx)
	}
	if err != nil {
		return err
	}
	return r.baseline(ctx, s)
}

// prepare has the provider make what the machines share, and writes down what is going to be made before it is.
func (r *run) prepare(ctx context.Context) error {
	spec := machine.Spec{Lab: r.Plan.Lab, Machines: r.Plan.Machines, PublicKey: r.PublicKey}
	if err := r.Provider.Prepare(ctx, spec); err != nil {
		return fmt.Errorf("prepare the machines: %w", err)
	}
	var err error
	if r.before, err = r.Provider.Status(ctx); err != nil {
		return fmt.Errorf("look which machines there are: %w", err)
	}
	text, err := lab.Marshal(r.Plan.Lab)
	if err != nil {
		return err
	}
	if err := r.Dir.WriteFile("applied.yaml", text); err != nil {
		return err
	}
	r.record.Update(r.expect)
	return r.record.Save()
}

// expect writes the plan's machines into the state.
func (r *run) expect(s *state.State) {
	s.Lab, s.Provider = r.Plan.Lab.Name, r.Plan.Lab.Provider
	planned := map[string]bool{}
	for i, m := range r.Plan.Machines {
		planned[m.Name] = true
		had := s.Machines[m.Name]
		s.Machines[m.Name] = state.Machine{
			Roles: m.Roles, Address: m.Address.String(), Place: i, Endpoint: had.Endpoint, Made: true, Plan: map[string]string{},
		}
	}
	for _, t := range r.Plan.Tasks {
		m := s.Machines[t.Node]
		if t.Step != plan.StepBoot && t.Version == nil { // only some machines ever need that one
			m.Plan[t.Step] = digestText(t.Digest)
		}
		for _, unit := range t.Services {
			if !slices.Contains(m.Services, unit) {
				m.Services = append(m.Services, unit)
			}
		}
		s.Machines[t.Node] = m
	}
	for name := range r.before {
		if _, known := s.Machines[name]; !known {
			s.Machines[name] = state.Machine{Made: true} // the provider has it: the state was lost
		}
	}
	for name, m := range s.Machines {
		if !planned[name] {
			m.Removed = true
			s.Machines[name] = m
		}
	}
}

// verdict is the error of the tasks.
func (r *run) verdict(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.failures, func(a, b *TaskError) int { return cmp.Compare(r.graph.index[a.ID], r.graph.index[b.ID]) })
	left := 0
	for _, t := range r.results {
		if t.Outcome == Blocked {
			left++
		}
	}
	if err := ctx.Err(); err != nil {
		err = fmt.Errorf("stopped before it was done; run it again to go on: %w", err)
		if len(r.failures) > 0 {
			return errors.Join(&RunError{Failures: r.failures, Blocked: left}, err)
		}
		return err
	}
	if len(r.failures) > 0 {
		return &RunError{Failures: r.failures, Blocked: left}
	}
	return nil
}

// forcedTasks finds the tasks that the names of UpOptions.Force mean.
func forcedTasks(p plan.Plan, names []string) (map[plan.TaskID]bool, error) {
	forced := map[plan.TaskID]bool{}
	for _, name := range names {
		found := false
		for _, t := range p.Tasks {
			byPattern, err := path.Match(name, string(t.ID))
			if err != nil {
				return nil, fmt.Errorf("force %q: %w", name, err)
			}
			if t.Step != plan.StepBoot && (byPattern || name == t.Step) {
				forced[t.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("force %q: %w: name a step, NODE/STEP or NODE/*; podium plan lists them", name, ErrNoSuchStep)
		}
	}
	return forced, nil
}
