package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"

	"podium/provision/machine"
	"podium/provision/remote"
	"podium/provision/state"
)

// NodeStatus is a node as Status finds it.
type NodeStatus struct {
	Name         string
	Roles        []string
	Address      string // in the lab's private network
	Endpoint     *remote.Endpoint
	Machine      machine.State
	SSH          bool   // a command could be run on it
	SSHError     string // why not; empty when the machine does not run
	Done         int    // steps done, by the node's markers; by the state when it cannot be asked
	Total        int    // steps the last up had for it
	Services     []ServiceStatus
	NotRehearsed []string      // steps that the last up left out, because the machine is simulated
	Failures     []StepFailure // steps that failed and have not succeeded since, the oldest failure first
	Removed      bool          // the last up's description had it no more
}

// StepFailure is a step that failed on a node and has not succeeded since.
type StepFailure struct {
	Step string
	state.Failure
}

// ServiceStatus is what systemd says of a unit.
type ServiceStatus struct {
	Unit   string
	Active string // active, inactive, failed, activating, ...; empty: the node cannot be asked
}

// askAtOnce is how many nodes are asked at the same time by verbs that only look.
const askAtOnce = 64

// Status looks at every node of the lab at once: its machine by the provider, and in one round trip whether SSH
// answers, which steps are done and how its services are. It needs no description and changes nothing. Nodes stand in
// the order of the description. The error is one of the state; a provider that cannot be asked makes every machine Unknown.
func (e *Engine) Status(ctx context.Context) ([]NodeStatus, error) {
	s, err := e.Dir.Load()
	if err != nil {
		return nil, err
	}
	scripts, err := readNodeScripts()
	if err != nil {
		return nil, err
	}
	// The provider and the nodes are asked side by side. A question to a node that does not run is called off.
	type answer struct {
		states map[string]machine.State
		err    error
	}
	asking, callOff := map[string]context.Context{}, map[string]context.CancelCauseFunc{}
	for name := range s.Machines {
		asking[name], callOff[name] = context.WithCancelCause(ctx)
		defer callOff[name](nil)
	}
	answers := make(chan answer, 1)
	go func() {
		states, err := e.Provider.Status(ctx)
		for name, cancel := range callOff {
			if is := states[name]; err == nil && is != machine.Running && is != machine.Unknown {
				cancel(errNotRunning)
			}
		}
		answers <- answer{states, err}
	}()
	names := slices.Sorted(maps.Keys(s.Machines))
	outcomes := remote.Each(ctx, names, askAtOnce, func(_ context.Context, name string) (inspection, error) {
		m := s.Machines[name]
		if m.Endpoint == nil {
			return inspection{}, errNeverReached
		}
		seen, err := e.askAt(asking[name], scripts, *m.Endpoint, m.Services...)
		if err != nil && errors.Is(context.Cause(asking[name]), errNotRunning) {
			return inspection{}, errNotRunning
		}
		return seen, err
	})
	provider := <-answers
	nodes := make([]NodeStatus, 0, len(names))
	for _, o := range outcomes {
		is := provider.states[o.Name]
		switch {
		case provider.err != nil:
			is = machine.Unknown
		case is == "":
			is = machine.Missing
		}
		nodes = append(nodes, status(s, o, is))
	}
	for name, is := range provider.states {
		if _, known := s.Machines[name]; !known {
			nodes = append(nodes, NodeStatus{Name: name, Machine: is, Removed: true})
		}
	}
	slices.SortFunc(nodes, func(a, b NodeStatus) int {
		return cmp.Or(cmp.Compare(place(s, a.Name), place(s, b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return nodes, ctx.Err()
}

// place is where a node stands in the description; those that do not stand there come last.
func place(s state.State, name string) int {
	m, known := s.Machines[name]
	if !known || m.Removed {
		return math.MaxInt
	}
	return m.Place
}

var (
	errNotRunning   = errors.New("the machine does not run")
	errNeverReached = errors.New("never reached yet")
)

// status puts together what is known of a node.
func status(s state.State, o remote.Outcome[inspection], is machine.State) NodeStatus {
	m := s.Machines[o.Name]
	n := NodeStatus{
		Name: o.Name, Roles: m.Roles, Address: m.Address, Endpoint: m.Endpoint, Machine: is,
		SSH: o.Err == nil, Total: len(m.Plan), Removed: m.Removed, NotRehearsed: m.NotRehearsed,
	}
	done := map[string]string{}
	switch {
	case o.Err == nil:
		for step, marker := range o.Value.Markers {
			done[step] = digestText(marker.Digest)
		}
	default:
		for step, known := range s.Steps[o.Name] {
			done[step] = known.Digest
		}
		if is == machine.Running || is == machine.Unknown {
			n.SSHError = o.Err.Error()
		}
	}
	if is == machine.Missing {
		clear(done) // whatever was done is gone with it
	}
	for step, digest := range m.Plan {
		if done[step] == digest {
			n.Done++
		}
	}
	for step, f := range s.Failures[o.Name] {
		n.Failures = append(n.Failures, StepFailure{Step: step, Failure: f})
	}
	slices.SortFunc(n.Failures, func(a, b StepFailure) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Step, b.Step)) })
	for _, unit := range m.Services {
		n.Services = append(n.Services, ServiceStatus{Unit: unit, Active: o.Value.Units[unit]})
	}
	return n
}
