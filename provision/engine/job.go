package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// job is one change of the lab under way: its record of the state and its events.
type job struct {
	*Engine
	events  *events
	record  *state.Record
	scripts nodeScripts
}

// open starts a job from the state. The caller closes it.
func (e *Engine) open(s state.State) (*job, error) {
	scripts, err := readNodeScripts()
	if err != nil {
		return nil, err
	}
	if err := e.Dir.Keep(); err != nil {
		return nil, err
	}
	events, err := e.openEvents()
	if err != nil {
		return nil, err
	}
	return &job{Engine: e, events: events, record: e.Dir.Record(s), scripts: scripts}, nil
}

// close brings the state to the disk.
func (j *job) close() error {
	err := j.record.Close()
	if err != nil {
		err = fmt.Errorf("what was done is done, but it could not be written down: %w", err)
	}
	return errors.Join(err, j.events.close())
}

func (j *job) emit(e event.Event) { j.events.Emit(e) }

// rememberFailure stores how a step failed, until it succeeds.
func (j *job) rememberFailure(node, step string, f state.Failure) {
	f.At = time.Now().Truncate(time.Second)
	j.record.Update(func(s *state.State) {
		if s.Failures[node] == nil {
			s.Failures[node] = map[string]state.Failure{}
		}
		s.Failures[node][step] = f
	})
}

// note tells those who watch what goes on with a node; an empty name means the lab.
func (j *job) note(node, format string, args ...any) {
	j.emit(event.Event{Kind: event.Note, Node: node, Text: fmt.Sprintf(format, args...)})
}

// change runs do as a job on the lab as the state knows it.
func (e *Engine) change(do func(*job) error) error {
	s, err := e.Dir.Load()
	if err != nil {
		return err
	}
	j, err := e.open(s)
	if err != nil {
		return err
	}
	return errors.Join(do(j), j.close())
}

// NodeError is what went wrong with one node when something was done to several.
type NodeError struct {
	Node  string
	Doing string // such as "halt"
	Err   error
}

// Error names the node and what was tried.
func (e *NodeError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Node, e.Doing, e.Err) }

// Unwrap gives the reason.
func (e *NodeError) Unwrap() error { return e.Err }

// nodeErrors is the errors of single nodes in an error of each.
func nodeErrors(err error) []*NodeError {
	if one, ok := err.(*NodeError); ok {
		return []*NodeError{one}
	}
	var all []*NodeError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, nodeErrors(e)...)
		}
	}
	return all
}

// nodeDeadline is how long one thing done to one machine may take, a boot with the checks of its services included.
// Destroying a lab must not wait without end for a provider that hangs.
const nodeDeadline = 20 * time.Minute

// each does the same to several nodes at once, tells that it waits for each, and joins what went wrong.
func (j *job) each(ctx context.Context, doing string, nodes []string, do func(ctx context.Context, node string) error) error {
	return j.eachNode(ctx, doing, nodes, func(ctx context.Context, node string) error {
		defer j.events.waitFor(wait{node: node, doing: doing}).over()
		return do(ctx, node)
	})
}

// eachNode does the same to several nodes at once and joins what went wrong, one *NodeError a node. What does not apply
// to the provider at all is said once.
func (j *job) eachNode(ctx context.Context, doing string, nodes []string, do func(ctx context.Context, node string) error) error {
	outcomes := remote.Each(ctx, nodes, j.limit(), func(ctx context.Context, node string) (struct{}, error) {
		limit, cancel := context.WithTimeout(ctx, nodeDeadline)
		defer cancel()
		err := do(limit, node)
		if err != nil && ctx.Err() == nil && limit.Err() != nil {
			err = fmt.Errorf("not done within %v: %w", nodeDeadline, err)
		}
		return struct{}{}, err
	})
	var errs []error
	for _, o := range outcomes {
		switch {
		case errors.Is(o.Err, machine.ErrNotApplicable):
			return fmt.Errorf("%s: %w", doing, o.Err)
		case o.Err != nil:
			errs = append(errs, &NodeError{Node: o.Name, Doing: doing, Err: o.Err})
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: stopped before it was done: %w", doing, err)
	}
	return errors.Join(errs...)
}

func (e *Engine) limit() int { return cmp.Or(max(e.Parallel, 0), DefaultParallel) }

// machines is the state of every machine of the lab, those included that only the state or only the provider knows.
func (j *job) machines(ctx context.Context) (map[string]machine.State, error) {
	all := map[string]machine.State{}
	j.record.View(func(s state.State) {
		for name, m := range s.Machines {
			if m.Made {
				all[name] = machine.Missing
			}
		}
	})
	there, err := j.Provider.Status(ctx)
	if err != nil {
		return all, fmt.Errorf("look which machines there are: %w", err)
	}
	maps.Copy(all, there)
	return all, nil
}

// choose checks names of nodes against those there are; no names mean all.
func choose(all map[string]machine.State, names []string) ([]string, error) {
	known := slices.Sorted(maps.Keys(all))
	if len(names) == 0 {
		return known, nil
	}
	for _, name := range names {
		if _, ok := all[name]; !ok {
			return nil, fmt.Errorf("%w: %q: the lab has %s", machine.ErrNotFound, name, cmp.Or(strings.Join(known, ", "), "no machines"))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names))), nil
}

// in is the names of the machines that are in the given state, sorted.
func in(all map[string]machine.State, want machine.State) []string {
	var names []string
	for name, is := range all {
		if is == want {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// noteArrival stores how a node was reached and what it said was done on it.
func (j *job) noteArrival(ctx context.Context, n *node, took time.Duration) {
	at, _ := n.at(ctx)
	n.mu.Lock()
	seen := n.seen
	n.mu.Unlock()
	j.record.Update(func(s *state.State) { recordArrival(s, n.name, at, seen, took) })
}

// recordArrival stores how a node was reached and what is done on it: its own word counts, not what was remembered.
func recordArrival(s *state.State, node string, at remote.Endpoint, seen inspection, took time.Duration) {
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
