package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// Change is one task as Up would find it now.
type Change struct {
	Task   plan.TaskID
	Node   string
	Step   string
	Reason string // why it would run: "missing", "script changed", ...; empty: it is done
}

// askDeadline is how long a node may take to answer a look, if the lab does not say: status should be quick, and a node
// that does not answer within seconds is worth a look.
const askDeadline = 3 * time.Second

// Changes says for every task of the plan, in its order, whether Up would run it, and why. It changes nothing and
// starts nothing. A node that cannot be asked is judged by what podium remembers of it. The error is one of the state
// or the provider; nodes that do not answer are none.
func (e *Engine) Changes(ctx context.Context) ([]Change, error) {
	s, err := e.Dir.Load()
	if err != nil {
		return nil, err
	}
	if err := otherProvider(s, e.Plan.Lab.Provider); err != nil {
		return nil, err
	}
	if _, err := e.upgrade(s); err != nil {
		return nil, err
	}
	scripts, err := readNodeScripts()
	if err != nil {
		return nil, err
	}
	there, err := e.Provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("look which machines there are: %w", err)
	}
	names := make([]string, len(e.Plan.Machines))
	for i, m := range e.Plan.Machines {
		names[i] = m.Name
	}
	views := map[string]view{}
	for _, o := range remote.Each(ctx, names, askAtOnce, func(ctx context.Context, name string) (view, error) {
		return e.viewOf(ctx, scripts, s, name, there[name]), nil
	}) {
		views[o.Name] = o.Value
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask the nodes what they have: %w", err)
	}
	changes := make([]Change, len(e.Plan.Tasks))
	for i, t := range e.Plan.Tasks {
		changes[i] = Change{Task: t.ID, Node: t.Node, Step: t.Step, Reason: views[t.Node].reason(t)}
	}
	return changes, nil
}

// view is a node as far as it can be seen without touching it.
type view struct {
	boot  string // why its machine has to be started or made; empty: it runs
	steps map[string]marker
	guess string // what the answer goes by instead of the node's own word
}

func (v view) reason(t plan.Task) string {
	if t.Step == plan.StepBoot {
		return v.boot
	}
	if t.NotRehearsed {
		return ""
	}
	why := due(t, v.steps)
	if why == reasonMissing && t.Version != nil {
		return "" // the machine is going to be made with that version
	}
	if why != "" && v.guess != "" {
		return why + " (" + v.guess + ")"
	}
	return why
}

// viewOf asks a node, or the state when the node cannot be asked.
func (e *Engine) viewOf(ctx context.Context, scripts nodeScripts, s state.State, name string, is machine.State) view {
	at := s.Machines[name].Endpoint
	switch {
	case is == "" || is == machine.Missing:
		return view{boot: "machine not made yet"}
	case is == machine.Stopped, is == machine.Crashed:
		return view{boot: "machine is " + string(is), steps: remembered(s, name), guess: "as of the last run: the machine is " + string(is)}
	case at == nil:
		return view{guess: "never reached"}
	}
	seen, err := e.askAt(ctx, scripts, *at)
	if err != nil {
		return view{steps: remembered(s, name), guess: "as of the last run: the node does not answer"}
	}
	return view{steps: seen.Markers}
}

// askAt connects, asks, and hangs up.
func (e *Engine) askAt(ctx context.Context, scripts nodeScripts, at remote.Endpoint, units ...string) (inspection, error) {
	limit := cmp.Or(e.AskTimeout, askDeadline)
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no SSH answer within %v; a slow node gets longer by ssh_timeout: in lab.yaml", limit))
	defer cancel()
	host, err := e.Dialer.Dial(limited, at)
	if err != nil {
		return inspection{}, err
	}
	defer host.Close()
	return inspect(limited, host, scripts, units...)
}

// remembered is the steps that podium saw done on a node.
func remembered(s state.State, name string) map[string]marker {
	steps := map[string]marker{}
	for step, done := range s.Steps[name] {
		steps[step] = marker{Digest: parseDigest(done.Digest), Done: done.Done}
	}
	return steps
}
