package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// schedule runs the tasks.
func (r *run) schedule(ctx context.Context) {
	limit := r.limit()
	boots := limit
	if p, ok := r.Provider.(machine.Limited); ok && p.UpLimit() > 0 {
		boots = min(boots, p.UpLimit())
	}
	s := schedule{graph: r.graph, limit: limit, boots: boots, boot: r.boots, skip: r.fits, run: r.task, end: r.undone}
	s.all(ctx)
	for _, n := range r.nodes {
		n.close()
	}
	r.closing.Wait()
}

// boots reports whether a task has to boot a machine: not if it runs already.
func (r *run) boots(i int) bool {
	t := r.Plan.Tasks[i]
	return t.Step == plan.StepBoot && r.before[t.Node] != machine.Running
}

// fits reports whether a step is done on its node as the plan wants it.
func (r *run) fits(i int) bool {
	t := r.Plan.Tasks[i]
	return t.Step != plan.StepBoot && r.reason(t) == ""
}

// reason says why a step has to run; empty: it does not.
func (r *run) reason(t plan.Task) string {
	if why := r.nodes[t.Node].due(t); why != "" || !r.forced[t.ID] {
		return why
	}
	return reasonForced
}

// undone notes a task that did not run.
func (r *run) undone(i int, how Outcome, by int) {
	t := r.Plan.Tasks[i]
	defer r.release(t)
	result := TaskResult{ID: t.ID, Node: t.Node, Step: t.Step, Outcome: how}
	switch how {
	case Skipped:
		r.emit(event.Event{Kind: event.TaskSkipped, Node: t.Node, Step: t.Step})
	case Blocked:
		result.Reason = string(r.Plan.Tasks[by].ID)
		r.emit(event.Event{Kind: event.TaskBlocked, Node: t.Node, Step: t.Step, Text: result.Reason})
	}
	r.settle(i, result)
}

// task runs one task to its end.
func (r *run) task(ctx context.Context, i int) Outcome {
	t := r.Plan.Tasks[i]
	defer r.release(t)
	result := TaskResult{ID: t.ID, Node: t.Node, Step: t.Step, Start: time.Since(r.started)}
	do := r.step
	if t.Step == plan.StepBoot {
		do = r.boot
	}
	start := time.Now()
	err := do(ctx, t, &result)
	result.Duration = time.Since(start)
	switch failure, failed := errors.AsType[*TaskError](err); {
	case err == nil:
		result.Outcome = cmp.Or(result.Outcome, Done)
	case !failed || ctx.Err() != nil:
		result.Outcome = Cancelled
	default:
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

// boot brings a machine up and asks it what was done on it.
func (r *run) boot(ctx context.Context, t plan.Task, result *TaskResult) error {
	result.Attempts = 1
	result.Reason = "machine is " + string(cmp.Or(r.before[t.Node], machine.Missing))
	r.emit(event.Event{Kind: event.TaskStarted, Node: t.Node, Step: t.Step, Attempt: 1, Text: result.Reason})
	limit, cancel := ctx, context.CancelFunc(func() {})
	if t.Timeout > 0 {
		limit, cancel = context.WithTimeout(ctx, t.Timeout)
	}
	defer cancel()
	n := r.nodes[t.Node]
	start := time.Now()
	err := r.forget(t.Node)
	if err == nil {
		err = n.boot(limit)
	}
	if err == nil && r.isNew(t.Node) {
		r.record.Update(func(s *state.State) { lostSnapshots(s, t.Node) })
	}
	var seen look
	if err == nil {
		seen, err = n.look(limit)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limit.Err() != nil && err != nil:
		err = fmt.Errorf("the machine was not up within %v: %w", t.Timeout, err)
		fallthrough
	case err != nil:
		return r.failure(t, nil, err)
	}
	n.saw(seen)
	endpoint, _ := n.at(ctx)
	r.record.Update(func(s *state.State) { arrived(s, t.Node, endpoint, seen, time.Since(start)) })
	if r.before[t.Node] == machine.Running {
		result.Outcome, result.Reason = Skipped, ""
		r.emit(event.Event{Kind: event.TaskSkipped, Node: t.Node, Step: t.Step})
		return nil
	}
	r.emit(event.Event{Kind: event.TaskDone, Node: t.Node, Step: t.Step, Duration: time.Since(start)})
	return nil
}

// isNew reports whether this run makes the machine.
func (r *run) isNew(node string) bool {
	return cmp.Or(r.before[node], machine.Missing) == machine.Missing
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
func (r *run) forget(node string) error {
	if r.Forget == nil || !r.isNew(node) {
		return nil
	}
	return r.Forget(remote.Endpoint{Node: node})
}

// arrived writes down how a node was reached and what is done on it: its own word counts, not what was remembered.
func arrived(s *state.State, node string, at remote.Endpoint, seen look, took time.Duration) {
	m := s.Machines[node]
	m.Endpoint = &at
	s.Machines[node] = m
	had := s.Steps[node]
	steps := map[string]state.Step{plan.StepBoot: {Done: time.Now(), Duration: took}}
	if boot, ok := had[plan.StepBoot]; ok && boot.Duration > took {
		steps[plan.StepBoot] = boot // that of the machine that was made, not of the one that ran already
	}
	facts := map[string]string{}
	byTime := slices.SortedFunc(maps.Keys(seen.Markers), func(a, b string) int {
		return cmp.Or(seen.Markers[a].Done.Compare(seen.Markers[b].Done), cmp.Compare(a, b))
	})
	for _, name := range byTime { // of two steps that report the same fact, the later one counts
		m := seen.Markers[name]
		steps[name] = state.Step{Done: m.Done, Duration: had[name].Duration, Digest: digestText(m.Digest)}
		maps.Copy(facts, m.Facts)
	}
	s.Steps[node], s.Facts[node] = steps, facts
}

// step runs a step on its node.
func (r *run) step(ctx context.Context, t plan.Task, result *TaskResult) error {
	result.Reason = r.reason(t)
	log, err := r.Dir.Log(t.Node, t.Step)
	if err != nil {
		return r.failure(t, nil, err)
	}
	result.Log = log.Path()
	out := newOutput(t.Node, t.Step, log, r.events)
	out.conceal(r.nodes[t.Node].secrets())
	r.emit(event.Event{Kind: event.TaskStarted, Node: t.Node, Step: t.Step, Attempt: 1, Text: result.Reason})
	start := time.Now()
	err = r.attempts(ctx, t, out, result)
	took := time.Since(start)
	if closeErr := errors.Join(out.failed(), log.Close()); closeErr != nil {
		r.emit(event.Event{Kind: event.Note, Node: t.Node, Step: t.Step, Text: "its log is not whole: " + closeErr.Error()})
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return r.failure(t, out, err)
	}
	m, _ := r.nodes[t.Node].marker(t.Step)
	open, _ := public(m.Facts)
	r.record.Update(func(s *state.State) {
		s.Steps[t.Node][t.Step] = state.Step{Done: m.Done, Duration: took, Digest: digestText(m.Digest)}
		maps.Copy(s.Facts[t.Node], m.Facts)
	})
	r.emit(event.Event{Kind: event.TaskDone, Node: t.Node, Step: t.Step, Attempt: result.Attempts, Duration: took, Facts: open, Log: result.Log})
	return nil
}

// failure makes the error that a person gets to see. out is nil for a task that has no output.
func (r *run) failure(t plan.Task, out *output, err error) *TaskError {
	failure := &TaskError{ID: t.ID, Node: t.Node, Step: t.Step, Hint: t.Hint, Resume: "podium up " + remote.Quote(r.Dir.Lab()), Err: err}
	if out != nil {
		failure.Last, failure.Log = out.tail(), out.log.Path()
	}
	return failure
}

// settle writes down how a task ended.
func (r *run) settle(i int, result TaskResult) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[i] = result
}

// release closes the connections that a task was the last to need.
func (r *run) release(t plan.Task) {
	names := []string{t.Node}
	for _, in := range t.Inputs {
		names = append(names, in.Node)
	}
	for _, name := range names {
		if n := r.nodes[name]; n.done() {
			r.closing.Go(n.close)
		}
	}
}
