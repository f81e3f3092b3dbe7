package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/state"
)

// run carries out the tasks of a plan, each as soon as it can start. What does not depend on a failed task is done all
// the same. What a task means is up to its work.
type run struct {
	*job
	work    work
	verb    string // the podium command that goes on from here
	retry   Retry
	started time.Time

	graph  *graph
	nodes  map[string]*node
	before map[string]machine.State // what the provider had when the run began

	closing sync.WaitGroup // connections that are being closed

	mu       sync.Mutex
	results  []TaskResult // by index in the plan
	failures []*TaskError
}

// work is what a run makes of the tasks of its plan: up does what is missing, repair inspects and fixes.
type work interface {
	// due reports whether a step has to run, and why. It is asked when all that the step comes after has ended.
	due(t plan.Task) (why string, yes bool)
	// boot carries out a task that makes its machine ready for steps. It may set the result's outcome.
	boot(ctx context.Context, t plan.Task, result *TaskResult) error
	// bundle is the text that runs on the step's node. inputs are the facts of the task's inputs.
	bundle(t plan.Task, inputs map[string]string) (string, error)
	// done takes the answer of a step that ended well. It returns the facts that anyone may see.
	done(t plan.Task, a answer, took time.Duration) (map[string]string, error)
}

// newRun prepares a run of the engine's plan. weight estimates how long a task takes. The caller closes the job.
func (e *Engine) newRun(s state.State, verb string, weight func(plan.Task) time.Duration) (*run, error) {
	g, err := newGraph(e.Plan.Tasks, weight)
	if err != nil {
		return nil, err
	}
	j, err := e.open(s)
	if err != nil {
		return nil, err
	}
	r := &run{
		job: j, verb: verb, retry: cmp.Or(e.Retry, DefaultRetry()), started: time.Now(),
		graph: g, nodes: map[string]*node{}, results: make([]TaskResult, len(e.Plan.Tasks)),
	}
	for _, m := range e.Plan.Machines {
		n := j.node(m.Name, j.scripts)
		n.restarts = func() error { return j.markUnchecked(m.Name) }
		n.says = func(text string) { j.events.heardOf(m.Name, text) }
		r.nodes[m.Name] = n
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

// tasks runs every task and returns what failed: a *RunError, or an error that wraps ctx's.
func (r *run) tasks(ctx context.Context) error {
	limit := r.limit()
	boots := limit
	if p, ok := r.Provider.(machine.Limited); ok && p.UpLimit() > 0 {
		boots = min(boots, p.UpLimit())
	}
	s := schedule{graph: r.graph, limit: limit, boots: boots, boot: r.boots, skip: r.needless, run: r.task, end: r.notRun}
	s.all(ctx)
	for _, n := range r.nodes {
		n.close()
	}
	r.closing.Wait()
	return r.verdict(ctx)
}

// boots reports whether a task has to boot a machine: not if it runs already.
func (r *run) boots(i int) bool {
	t := r.Plan.Tasks[i]
	return t.Step == plan.StepBoot && r.before[t.Node] != machine.Running
}

// needless reports whether a task has nothing to do. A boot is never needless: it also connects.
func (r *run) needless(i int) bool {
	t := r.Plan.Tasks[i]
	if t.Step == plan.StepBoot {
		return false
	}
	if t.NotRehearsed {
		return true
	}
	_, due := r.work.due(t)
	return !due
}

// notRun notes a task that did not run.
func (r *run) notRun(i int, how Outcome, by int) {
	t := r.Plan.Tasks[i]
	defer r.release(t)
	result := TaskResult{ID: t.ID, Node: t.Node, Step: t.Step, Outcome: how}
	switch how {
	case Skipped:
		skipped := event.Event{Kind: event.TaskSkipped, Node: t.Node, Step: t.Step}
		if t.NotRehearsed {
			result.Outcome, skipped.Text = NotRehearsed, string(NotRehearsed)
		}
		r.clearFailure(t)
		r.emit(skipped)
	case Blocked:
		result.Reason = string(r.Plan.Tasks[by].ID)
		r.emit(event.Event{Kind: event.TaskBlocked, Node: t.Node, Step: t.Step, Text: result.Reason})
	}
	r.keep(i, result)
}

// task runs one task to its end.
func (r *run) task(ctx context.Context, i int) Outcome {
	t := r.Plan.Tasks[i]
	defer r.release(t)
	result := TaskResult{ID: t.ID, Node: t.Node, Step: t.Step, Start: time.Since(r.started)}
	do := r.step
	if t.Step == plan.StepBoot {
		do = r.bootTask
		result.Reason = "machine is " + string(r.was(t.Node))
	} else {
		result.Reason, _ = r.work.due(t)
	}
	r.emit(event.Event{Kind: event.TaskStarted, Node: t.Node, Step: t.Step, Attempt: 1, Text: result.Reason})
	defer r.events.waitFor(wait{node: t.Node, step: t.Step}).over()
	start := time.Now()
	facts, err := do(ctx, t, &result)
	result.Duration = time.Since(start)
	ended := event.Event{Node: t.Node, Step: t.Step, Attempt: result.Attempts, Duration: result.Duration, Log: result.Log}
	switch failure, failed := errors.AsType[*TaskError](err); {
	case err == nil && result.Outcome == Skipped:
		ended = event.Event{Kind: event.TaskSkipped, Node: t.Node, Step: t.Step}
	case err == nil && result.Outcome == Blocked:
		ended = event.Event{Kind: event.TaskBlocked, Node: t.Node, Step: t.Step, Text: result.Reason}
	case err == nil:
		result.Outcome = Done
		ended.Kind, ended.Facts = event.TaskDone, facts
	case !failed || ctx.Err() != nil:
		result.Outcome = Cancelled
	default:
		result.Outcome = Failed
		r.fail(failure)
		ended.Kind, ended.Error, ended.Text = event.TaskFailed, failure.Err.Error(), failure.Hint
	}
	if ended.Kind != "" {
		r.emit(ended)
	}
	if result.Outcome == Done || result.Outcome == Skipped {
		r.clearFailure(t)
	}
	r.keep(i, result)
	return result.Outcome
}

func (r *run) bootTask(ctx context.Context, t plan.Task, result *TaskResult) (map[string]string, error) {
	result.Attempts = 1
	err := r.work.boot(ctx, t, result)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, r.failure(t, nil, err)
	}
	return nil, nil
}

// reach starts a machine that does not run, connects to it, and asks it what was done on it.
func (r *run) reach(ctx context.Context, t plan.Task) error {
	start := time.Now()
	limit, cancel := within(ctx, t.Timeout)
	defer cancel()
	n := r.nodes[t.Node]
	err := n.boot(limit)
	if err == nil {
		err = n.inspect(limit)
	}
	if err != nil {
		if limit.Err() != nil {
			err = fmt.Errorf("the machine was not up within %v; a slow computer gets longer by boot_timeout: in lab.yaml: %w", t.Timeout, err)
		}
		return err
	}
	r.noteArrival(ctx, n, time.Since(start))
	return nil
}

// restarted reports whether the run starts a machine that was made before.
func (r *run) restarted(node string) bool {
	return r.was(node) != machine.Running && r.was(node) != machine.Missing
}

// was is the state of a machine when the run began.
func (r *run) was(node string) machine.State { return cmp.Or(r.before[node], machine.Missing) }

// failure makes the error that a person gets to see. out is nil for a task that has no output.
func (r *run) failure(t plan.Task, out *output, err error) *TaskError {
	failure := &TaskError{ID: t.ID, Node: t.Node, Step: t.Step, Hint: t.Hint, Resume: "podium " + r.verb + r.LabArg, Err: err}
	if out != nil {
		failure.Last, failure.Log = out.tail(), out.log.Path()
	}
	return failure
}

// fail keeps a failure: for the verdict, and in the state until the step succeeds.
func (r *run) fail(f *TaskError) {
	r.mu.Lock()
	r.failures = append(r.failures, f)
	r.mu.Unlock()
	r.rememberFailure(f.Node, f.Step, state.Failure{Error: f.Err.Error(), Last: f.Last, Hint: f.Hint, Log: f.Log})
}

// clearFailure forgets how a step failed earlier. It leaves the state alone when there is nothing to forget.
func (r *run) clearFailure(t plan.Task) {
	failed := false
	r.record.View(func(s state.State) { _, failed = s.Failures[t.Node][t.Step] })
	if failed {
		r.record.Update(func(s *state.State) { delete(s.Failures[t.Node], t.Step) })
	}
}

// keep stores how a task ended.
func (r *run) keep(i int, result TaskResult) {
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

// verdict is the error of the tasks.
func (r *run) verdict(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.failures, func(a, b *TaskError) int { return cmp.Compare(r.graph.index[a.ID], r.graph.index[b.ID]) })
	blocked := 0
	for _, t := range r.results {
		if t.Outcome == Blocked {
			blocked++
		}
	}
	var failed error
	if len(r.failures) > 0 {
		failed = &RunError{Failures: r.failures, Blocked: blocked}
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(failed, fmt.Errorf("stopped before it was done; run it again to go on: %w", err))
	}
	return failed
}

// finished tells that the run is over.
func (r *run) finished(took time.Duration, err error) {
	e := event.Event{Kind: event.RunFinished, Duration: took}
	if err != nil {
		e.Error = err.Error()
	}
	r.emit(e)
}

// within is ctx with a time limit; 0: none.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}
