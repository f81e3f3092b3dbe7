package engine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/remote"
)

// fakeLab is a provider, a dialer and the nodes behind them, in memory. A node understands what the engine sends:
// look.sh and bundles, of which it takes the digests and the environment; what a step's script does is a function.
type fakeLab struct {
	mu        sync.Mutex
	machines  map[string]*fakeMachine
	calls     []string // "up w1", "run w1/base", "look w1", in order
	running   int      // tasks that need a place, now
	mostAtOne int      // and at most

	// script plays a step's script; nil: every script succeeds.
	script func(ctx context.Context, r scriptRun) (facts string, err error)
	// fail makes a call of the provider or the dialer fail; nil: none does.
	fail func(call string) error
	// bootTime is how long a machine takes to boot.
	bootTime func(node string) time.Duration
	limit    int // UpLimit
}

// scriptRun is one run of a script on a fake node.
type scriptRun struct {
	Node, Step, Bundle string
	Log                io.Writer
	Lab                *fakeLab
}

func (r scriptRun) ID() string { return r.Node + "/" + r.Step }

type fakeMachine struct {
	state     machine.State
	boots     int
	markers   map[string]string
	snapshots map[string]map[string]string
	down      chan struct{} // closed when the machine goes down
}

func newFakeLab() *fakeLab { return &fakeLab{machines: map[string]*fakeMachine{}} }

func (f *fakeLab) call(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	call := fmt.Sprintf(format, args...)
	f.calls = append(f.calls, call)
	if f.fail != nil {
		return f.fail(call)
	}
	return nil
}

// called lists the calls that begin with prefix, sorted.
func (f *fakeLab) called(prefix string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	for _, c := range f.calls {
		if strings.HasPrefix(c, prefix) {
			found = append(found, c)
		}
	}
	slices.Sort(found)
	return found
}

func (f *fakeLab) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
}

func (f *fakeLab) enter() (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running++
	f.mostAtOne = max(f.mostAtOne, f.running)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running--
	}
}

func (f *fakeLab) Prepare(context.Context, machine.Spec) error { return f.call("prepare") }
func (f *fakeLab) Cleanup(context.Context) error               { return f.call("cleanup") }
func (f *fakeLab) UpLimit() int                                { return f.limit }

func (f *fakeLab) Up(ctx context.Context, name string) (remote.Endpoint, error) {
	if err := f.call("up %s", name); err != nil {
		return remote.Endpoint{}, err
	}
	f.mu.Lock()
	m := f.machines[name]
	if m == nil {
		m = &fakeMachine{state: machine.Missing, markers: map[string]string{}, snapshots: map[string]map[string]string{}}
		f.machines[name] = m
	}
	running := m.state == machine.Running
	f.mu.Unlock()
	if !running {
		leave := f.enter()
		defer leave()
		if f.bootTime != nil {
			if err := sleep(ctx, f.bootTime(name)); err != nil {
				return remote.Endpoint{}, err
			}
		}
		f.mu.Lock()
		m.state, m.down = machine.Running, make(chan struct{})
		m.boots++
		f.mu.Unlock()
	}
	return remote.Endpoint{Node: name, Host: "192.0.2.1", Port: 22, User: "podium"}, nil
}

// halt takes a machine down, and its connections with it.
func (f *fakeLab) halt(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.machines[name]; m != nil && m.state == machine.Running {
		m.state = machine.Stopped
		close(m.down)
	}
}

func (f *fakeLab) Halt(_ context.Context, name string) error {
	if err := f.call("halt %s", name); err != nil {
		return err
	}
	f.halt(name)
	return nil
}

func (f *fakeLab) Destroy(_ context.Context, name string) error {
	if err := f.call("destroy %s", name); err != nil {
		return err
	}
	f.halt(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.machines, name)
	return nil
}

func (f *fakeLab) Status(context.Context) (map[string]machine.State, error) {
	if err := f.call("status"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]machine.State{}
	for name, m := range f.machines {
		if m.state != machine.Missing {
			all[name] = m.state
		}
	}
	return all, nil
}

func (f *fakeLab) Snapshot(_ context.Context, name, tag string) error {
	if err := f.call("snapshot %s %s", name, tag); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.machines[name]
	if m.state != machine.Stopped {
		return fmt.Errorf("snapshot of a machine that is %s", m.state)
	}
	if m.snapshots[tag] != nil {
		return fmt.Errorf("%s exists", tag)
	}
	m.snapshots[tag] = maps.Clone(m.markers)
	return nil
}

func (f *fakeLab) Restore(_ context.Context, name, tag string) error {
	if err := f.call("restore %s %s", name, tag); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.machines[name]
	if m.snapshots[tag] == nil {
		return machine.ErrNoSnapshot
	}
	m.markers = maps.Clone(m.snapshots[tag])
	return nil
}

func (f *fakeLab) DeleteSnapshot(_ context.Context, name, tag string) error {
	if err := f.call("delete %s %s", name, tag); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.machines[name].snapshots, tag)
	return nil
}

func (f *fakeLab) Dial(ctx context.Context, e remote.Endpoint) (remote.Host, error) {
	if err := f.call("dial %s", e.Node); err != nil {
		return nil, err
	}
	f.mu.Lock()
	m := f.machines[e.Node]
	up := m != nil && m.state == machine.Running
	var down chan struct{}
	if up {
		down = m.down
	}
	f.mu.Unlock()
	if !up {
		return nil, fmt.Errorf("%s: %w", e.Node, remote.ErrUnreachable)
	}
	return &fakeHost{lab: f, name: e.Node, machine: m, down: down}, nil
}

// recorder is a sink that remembers.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
}

func (r *recorder) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) of(kind event.Kind) []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.events), func(e event.Event) bool { return e.Kind != kind })
}
