package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// UpOptions says how Up differs from its usual way.
type UpOptions struct {
	// Baseline takes the snapshot BaselineTag after the lab's first complete success, which is what Reset goes back to.
	// Providers without snapshots are left alone.
	Baseline bool
	// Force lists what runs although it is done: a task ("w1/kubeadm-join"), a step on every node ("jenkins"), or
	// every step of a node ("w1/*"). A name that fits no task is an error.
	Force []string
	// Prune removes the nodes that the description has no more (Surplus): from the cluster, then their machines.
	Prune bool
}

// BaselineTag is the name of the snapshot that Up takes by itself and that Reset restores.
const BaselineTag = "ready"

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
	r, err := e.newUp(o)
	if err != nil {
		return Summary{}, err
	}
	return r.up(ctx)
}

// upRun is one Up under way.
type upRun struct {
	*run
	options UpOptions
	ahead   string // the upgrade that this run is going to do; empty: none
	applies func(plan.Task) bool
	forced  map[plan.TaskID]bool
}

// newUp checks what can be checked without touching anything.
func (e *Engine) newUp(o UpOptions) (*upRun, error) {
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
	r, err := e.newRun(s, "up", estimate(s, e.Plan.Tasks))
	if err != nil {
		return nil, err
	}
	u := &upRun{run: r, options: o, ahead: ahead, forced: forced, applies: applying(s)}
	r.work = u
	return u, nil
}

func (r *upRun) up(ctx context.Context) (Summary, error) {
	r.emit(event.Event{Kind: event.RunStarted, Tasks: r.steps(), Text: r.verb})
	err := r.finishRestore(ctx)
	if err == nil {
		err = r.prepare(ctx)
	}
	if err == nil && r.ahead != "" {
		r.note("", "%s", r.ahead)
	}
	if err == nil {
		err = r.tasks(ctx)
	}
	var s Summary
	if err == nil {
		err = r.afterwards(ctx, &s)
	}
	r.summarize(&s)
	r.finished(s.Duration, err)
	return s, errors.Join(err, r.close())
}

// afterwards is what remains once every step is done: machines that were started again have to work again, surplus nodes
// are removed, and the lab's first good state is kept.
func (r *upRun) afterwards(ctx context.Context, s *Summary) error {
	if err := r.checkRestarted(ctx); err != nil {
		return r.failChecks(ctx, err)
	}
	if r.options.Prune {
		if err := r.prune(ctx); err != nil {
			return err
		}
	}
	return r.baseline(ctx, s)
}

// checkRestarted waits until the services of all machines work that were started again, by this run or by one that was cut
// off before it had seen them work.
func (r *upRun) checkRestarted(ctx context.Context) error {
	var names []string
	r.record.View(func(s state.State) {
		for _, m := range r.Plan.Machines {
			if s.Machines[m.Name].Unchecked {
				names = append(names, m.Name)
			}
		}
	})
	err := r.recover(ctx, names, r.nodes)
	for _, name := range names {
		r.nodes[name].close()
	}
	return err
}

// failChecks turns nodes that do not work after a restart into tasks that failed: the lab is not ready.
func (r *upRun) failChecks(ctx context.Context, err error) error {
	failures := nodeErrors(err)
	if ctx.Err() != nil || len(failures) == 0 {
		return err
	}
	for _, f := range failures {
		id, check := plan.TaskID(f.Node+"/"+plan.StepBoot), &CheckError{}
		if errors.As(f, &check) && check.Step != "" {
			id = plan.TaskID(f.Node + "/" + check.Step)
		}
		i, planned := r.graph.index[id]
		if !planned {
			return err // a machine that the description has no more
		}
		failure := r.failure(r.Plan.Tasks[i], nil, f.Err)
		failure.Last, failure.Log = check.Last, check.Log
		if hint := r.repairHint(check.Step); hint != "" {
			failure.Hint = strings.TrimPrefix(failure.Hint+"; "+hint, "; ")
		}
		r.fail(failure)
		r.mu.Lock()
		r.results[i].Outcome = Failed
		r.mu.Unlock()
		r.emit(event.Event{Kind: event.TaskFailed, Node: f.Node, Step: failure.Step, Error: f.Err.Error(), Text: failure.Hint, Log: failure.Log})
	}
	return r.verdict(ctx)
}

// prepare has the provider make what the machines share, and writes down what is going to be made before it is.
func (r *upRun) prepare(ctx context.Context) error {
	spec := machine.Spec{Lab: r.Plan.Lab, Machines: r.Plan.All(), PublicKey: r.PublicKey}
	w := r.events.waitFor(wait{doing: "prepare the machines"})
	err := r.Provider.Prepare(ctx, spec)
	w.over()
	if err != nil {
		return fmt.Errorf("prepare the machines: %w", err)
	}
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
	r.record.View(func(s state.State) {
		for _, d := range r.differences(s, r.Plan.Machines, r.before) {
			r.note("", "%s", d)
		}
	})
	r.record.Update(r.expect)
	return r.record.Save()
}

// expect writes the plan's machines into the state.
func (r *upRun) expect(s *state.State) {
	s.Lab, s.Provider = r.Plan.Lab.Name, r.Plan.Lab.Provider
	planned := map[string]bool{}
	for i, m := range r.Plan.All() {
		planned[m.Name] = true
		had, known := s.Machines[m.Name]
		if !r.takesPart(m.Name) {
			if known {
				had.Place, had.Removed = i, false
				s.Machines[m.Name] = had
			}
			continue
		}
		if r.isNew(m.Name) { // before it is made: a crash must not lose it
			made := settingsOf(r.Plan.Lab, m)
			had.MadeWith = &made
		}
		s.Machines[m.Name] = state.Machine{
			Roles: m.Roles, Address: m.Address.String(), Place: i, Endpoint: had.Endpoint, Made: true, Plan: map[string]string{},
			Unchecked: had.Unchecked || r.restarted(m.Name), MadeWith: had.MadeWith,
		}
	}
	for node, failures := range s.Failures {
		maps.DeleteFunc(failures, func(name string, _ state.Failure) bool {
			_, has := r.graph.index[plan.TaskID(node+"/"+name)]
			return r.takesPart(node) && !has // the step was taken out of the description
		})
	}
	for _, t := range r.Plan.Tasks {
		m := s.Machines[t.Node]
		if t.NotRehearsed {
			m.NotRehearsed = append(m.NotRehearsed, t.Step)
		} else if t.Step != plan.StepBoot && t.Version == nil { // only some machines ever need that one
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

// takesPart reports whether the plan has work for a machine: it may be about a part of the lab.
func (r *upRun) takesPart(name string) bool {
	return slices.ContainsFunc(r.Plan.Machines, func(m lab.Machine) bool { return m.Name == name })
}

// due compares the marker that the step left on its node with the plan.
func (r *upRun) due(t plan.Task) (why string, yes bool) {
	why = r.nodes[t.Node].due(t)
	if why == "" && r.forced[t.ID] {
		why = reasonForced
	}
	return why, why != ""
}

// boot brings a machine up.
func (r *upRun) boot(ctx context.Context, t plan.Task, result *TaskResult) error {
	if err := r.forget(t.Node); err != nil {
		return err
	}
	if err := r.reach(ctx, t); err != nil {
		return err
	}
	if r.isNew(t.Node) {
		r.record.Update(func(s *state.State) { lostSnapshots(s, t.Node) })
	}
	r.recordSettings(t.Node)
	if r.was(t.Node) == machine.Running {
		result.Outcome, result.Reason = Skipped, ""
	}
	return nil
}

func (r *upRun) bundle(t plan.Task, inputs map[string]string) (string, error) {
	return r.scripts.stepBundle(t, inputs)
}

// done stores the marker of a step.
func (r *upRun) done(t plan.Task, a answer, took time.Duration) (map[string]string, error) {
	if a.Marker.Digest != t.Digest {
		return nil, fmt.Errorf("%s ended well, but the node kept another marker than it was given: %s", t.Script.Name, digestText(a.Marker.Digest))
	}
	r.nodes[t.Node].markDone(t.Step, a.Marker)
	r.record.Update(func(s *state.State) {
		s.Steps[t.Node][t.Step] = state.Step{Done: a.Marker.Done, Duration: took, Digest: digestText(a.Marker.Digest)}
		maps.Copy(s.Facts[t.Node], a.Marker.Facts)
	})
	open, _ := public(a.Marker.Facts)
	return open, nil
}

// isNew reports whether this run makes the machine.
func (r *upRun) isNew(node string) bool {
	return r.was(node) == machine.Missing
}

// lostSnapshots notes that what was kept of a machine went with it: the one made in its place has no snapshots.
func lostSnapshots(s *state.State, node string) {
	for i := range s.Snapshots {
		if slices.Contains(s.Snapshots[i].Nodes, node) {
			s.Snapshots[i].Incomplete = true
		}
	}
}

// forget drops the host key of a machine that is gone: the one made in its place has another.
func (r *upRun) forget(node string) error {
	if r.Forget == nil || !r.isNew(node) {
		return nil
	}
	return r.Forget(remote.Endpoint{Node: node})
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
