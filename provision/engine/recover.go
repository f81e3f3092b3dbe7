package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/plan"
	"podium/provision/state"
	"podium/provision/step"
)

// A machine that was started again works only when the checks of the steps done on it hold again. Until then the state
// has it as unchecked, so that an up that comes after a crash checks it.

const (
	// recoverStep is the name under which the checks run again; its log is named after it.
	recoverStep = "recover"
	// recoverDeadline is how long services may take until the checks hold again.
	recoverDeadline = 10 * time.Minute
	// recoverPatience is how long the checks may say the same until they are given up.
	recoverPatience = 3 * time.Minute
)

// notYet begins what a node says of a check that does not hold; never, of one that will not hold however long one waits.
// In a recover the step's name comes after it.
const notYet, never = "not yet: ", "never: "

// servicesWork is what a node that was started again is waited for.
const servicesWork = "its services work again"

// errNoChange ends a wait for services that do not come nearer.
var errNoChange = errors.New("nothing has changed")

// CheckError is a node whose services do not work again after its machine was started.
type CheckError struct {
	Node string
	Step string   // whose check fails; empty: none has said anything
	Says string   // the check's words
	Last []string // the last lines of output
	Log  string
	Err  error // why it was given up
}

// Error names the step, what its check says, and why it was given up.
func (e *CheckError) Error() string {
	what := "its services do not work again since the machine was started"
	if e.Step != "" {
		what = fmt.Sprintf("the check of %s fails since the machine was started: %s", e.Step, e.Says)
	}
	return fmt.Sprintf("%s (%v; log: %s)", what, e.Err, e.Log)
}

// Unwrap gives the reason for giving up.
func (e *CheckError) Unwrap() error { return e.Err }

// markUnchecked notes on the disk that machines are going to be started.
func (j *job) markUnchecked(names ...string) error {
	j.record.Update(func(s *state.State) {
		for _, name := range names {
			m := s.Machines[name]
			m.Unchecked = true
			s.Machines[name] = m
		}
	})
	return unlessFull(j.record.Save())
}

// recover waits, on several nodes at once, until the checks of all steps done there hold again. The checks run as they
// lie on the nodes, so that this needs no description.
func (j *job) recover(ctx context.Context, names []string, nodes map[string]*node) error {
	return j.eachNode(ctx, "wait until its services work again", names, func(ctx context.Context, name string) error {
		return j.recoverNode(ctx, nodes[name])
	})
}

func (j *job) recoverNode(ctx context.Context, n *node) error {
	steps := j.stepsToCheck(n)
	if err := j.waitForChecks(ctx, n, steps); err != nil {
		if failed, ok := errors.AsType[*CheckError](err); ok && ctx.Err() == nil && failed.Step != "" {
			j.rememberFailure(n.name, failed.Step, state.Failure{Error: failed.Error(), Last: failed.Last, Hint: j.repairHint(failed.Step), Log: failed.Log})
		}
		return err
	}
	j.record.Update(func(s *state.State) {
		m := s.Machines[n.name]
		m.Unchecked = false
		s.Machines[n.name] = m
		for _, step := range steps {
			delete(s.Failures[n.name], step)
		}
	})
	return nil
}

// stepsToCheck is the finished steps of a node that the last up wanted there. What the description has no more may be
// gone.
func (j *job) stepsToCheck(n *node) []string {
	wanted := map[string]string{}
	j.record.View(func(s state.State) { wanted = s.Machines[n.name].Plan })
	n.mu.Lock()
	defer n.mu.Unlock()
	var steps []string
	for name, m := range n.seen.Markers {
		if _, ok := wanted[name]; m.Digest != (plan.Digest{}) && (ok || len(wanted) == 0) {
			steps = append(steps, name)
		}
	}
	slices.Sort(steps)
	return steps
}

// waitForChecks runs the checks of steps on a node until each holds.
func (j *job) waitForChecks(ctx context.Context, n *node, steps []string) error {
	log, err := j.Dir.Log(n.name, recoverStep)
	if err != nil {
		return err
	}
	defer log.Close()
	w := j.events.waitFor(wait{node: n.name, doing: servicesWork, urgent: true})
	defer w.over()
	limit, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	patience := time.AfterFunc(recoverPatience, func() { giveUp(fmt.Errorf("%w for %v", errNoChange, recoverPatience)) })
	defer patience.Stop()
	failed := &CheckError{Node: n.name, Log: log.Path()}
	var mu sync.Mutex
	out := newOutput(n.name, recoverStep, log, event.Func(func(e event.Event) {
		if step, says, ok := checkLine(e.Text); ok {
			mu.Lock()
			failed.Step, failed.Says = step, says
			mu.Unlock()
			patience.Reset(recoverPatience)
			w.say(step, says)
		}
		j.events.Emit(e)
	}))
	_, err = n.run(limit, session{
		step: recoverStep, script: "the start of its services", bundle: j.scripts.recoverBundle(steps, recoverDeadline), timeout: recoverDeadline, out: out,
	})
	out.flush()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	mu.Lock()
	defer mu.Unlock()
	failed.Err, failed.Last = err, out.tail()
	if timeout, ok := errors.AsType[*TimeoutError](err); ok {
		failed.Err = fmt.Errorf("given up after %v: %w", timeout.After, context.DeadlineExceeded)
	} else if script, ok := errors.AsType[*ScriptError](err); ok && script.Probe {
		failed.Err = fmt.Errorf("it will not hold by itself: %w", script.Err)
	}
	return failed
}

// checkLine reads what a recover says of a check: "not yet: STEP: TEXT".
func checkLine(line string) (step, says string, ok bool) {
	rest, ok := strings.CutPrefix(line, notYet)
	if !ok {
		if rest, ok = strings.CutPrefix(line, never); !ok {
			return "", "", false
		}
	}
	return strings.Cut(rest, ": ")
}

// repairHint says that podium repair may help: with what podium itself has set up.
func (j *job) repairHint(name string) string {
	if !slices.ContainsFunc(step.Catalogue(), func(s step.Step) bool { return s.Name == name }) {
		return ""
	}
	return "podium repair" + j.LabArg + " looks for what is wrong with the machines and fixes what it can"
}
