package engine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
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

// fakeHost is a connection to a fake node. It ends with the boot it was made in.
type fakeHost struct {
	lab     *fakeLab
	name    string
	machine *fakeMachine
	down    chan struct{}
}

func (h *fakeHost) Name() string { return h.name }
func (h *fakeHost) Close() error { return h.lab.call("close %s", h.name) }

func (h *fakeHost) Put(context.Context, remote.File) error {
	panic("the engine sends files by bundles")
}

func (h *fakeHost) Get(context.Context, string, io.Writer) error {
	panic("the engine gets facts by markers")
}

func (h *fakeHost) Run(parent context.Context, c remote.Command) (remote.Result, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {})()
	lost := make(chan struct{})
	go func() {
		defer close(lost)
		select {
		case <-h.down:
			cancel(fmt.Errorf("%s: %w", h.name, remote.ErrDisconnected))
		case <-ctx.Done():
		}
	}()
	code, err := h.run(ctx, c)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-lost
	if err == nil && code != 0 {
		err = &remote.ExitError{Host: h.name, Code: code}
	}
	return remote.Result{Code: code}, err
}

func (h *fakeHost) run(ctx context.Context, c remote.Command) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	switch {
	case slices.Contains(c.Args, "podium-look"):
		return 0, h.look(c)
	case slices.Contains(c.Args, "podium-run"):
		return h.bundle(ctx, c, c.Args[len(c.Args)-1])
	case slices.Equal(c.Args, []string{"systemctl", "is-system-running"}):
		fmt.Fprintln(c.Stdout, "running")
		return 0, nil
	}
	return 127, fmt.Errorf("%s: the fake node does not know %q", h.name, c.Args)
}

func (h *fakeHost) look(c remote.Command) error {
	if err := h.lab.call("look %s", h.name); err != nil {
		return err
	}
	h.lab.mu.Lock()
	defer h.lab.mu.Unlock()
	for _, step := range slices.Sorted(maps.Keys(h.machine.markers)) {
		fmt.Fprintf(c.Stdout, "step=%s\n%s", step, h.machine.markers[step])
	}
	for _, unit := range c.Args[slices.Index(c.Args, "podium-look")+1:] {
		fmt.Fprintf(c.Stdout, "unit.%s=active\n", unit)
	}
	fmt.Fprintln(c.Stdout, "end=")
	return nil
}

var claimLine = regexp.MustCompile(`(?m)^claim (\S+) (\S+) (\S+)$`)

func (h *fakeHost) bundle(ctx context.Context, c remote.Command, step string) (int, error) {
	text, err := io.ReadAll(c.Stdin)
	if err != nil {
		return 0, err
	}
	if err := h.lab.call("run %s/%s", h.name, step); err != nil {
		return 0, err
	}
	leave := h.lab.enter()
	facts, code := "", 0
	if h.lab.script != nil {
		facts, err = h.lab.script(ctx, scriptRun{Node: h.name, Step: step, Bundle: string(text), Log: c.Stderr, Lab: h.lab})
	}
	leave()
	if exit, ok := err.(exitCode); ok {
		code, err = int(exit), nil
	}
	if err != nil || ctx.Err() != nil {
		return 0, err
	}
	marker := ""
	claim := claimLine.FindSubmatch(text[max(0, len(text)-1000):]) // it stands at the end
	if claim != nil {
		marker = fmt.Sprintf("digest.script=%s\ndigest.vars=%s\ndigest.files=%s\ndone=%d\n", claim[1], claim[2], claim[3], time.Now().Unix())
	}
	for line := range strings.Lines(facts) {
		marker += "fact." + line
	}
	if code == 0 {
		fmt.Fprint(c.Stdout, marker)
		if claim != nil {
			h.lab.mu.Lock()
			h.machine.markers[step] = marker
			h.lab.mu.Unlock()
		}
	}
	fmt.Fprintf(c.Stdout, "exit=%d\n", code)
	return code, nil
}

// exitCode is how a fake script fails.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

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

// drawPlan makes a plan from lines "w1/base after w1/boot, cp/init". Boots need no line of their own; a task without
// "after" comes after its machine's boot.
func drawPlan(lines ...string) plan.Plan {
	p := plan.Plan{Lab: lab.Lab{Name: "test", Provider: lab.ProviderSim, Network: "192.0.2.0/24", User: "podium"}}
	var tasks []plan.Task
	for _, line := range lines {
		id, after, _ := strings.Cut(line, " after ")
		node, step, _ := strings.Cut(strings.TrimSpace(id), "/")
		if !slices.ContainsFunc(p.Machines, func(m lab.Machine) bool { return m.Name == node }) {
			p.Machines = append(p.Machines, lab.Machine{
				Name: node, Roles: []string{"worker"}, Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + len(p.Machines))}),
			})
			p.Tasks = append(p.Tasks, plan.Task{ID: plan.TaskID(node + "/boot"), Node: node, Step: plan.StepBoot, Timeout: time.Minute})
		}
		t := plan.Task{
			ID: plan.TaskID(node + "/" + step), Node: node, Step: step, Timeout: time.Minute, Hint: "look at " + step,
			Script: plan.Script{Name: step + ".sh", Text: "#!/bin/bash\necho " + step + "\n"},
			Vars:   map[string]string{"PODIUM_NODE": node},
			Digest: plan.Digest{Script: "s-" + step, Vars: "v-" + node, Files: "f"},
		}
		if after == "" {
			after = node + "/boot"
		}
		for a := range strings.SplitSeq(after, ",") {
			t.After = append(t.After, plan.TaskID(strings.TrimSpace(a)))
		}
		tasks = append(tasks, t)
	}
	p.Tasks = append(p.Tasks, tasks...)
	return p
}

// smallLab is a cluster in small: every node base, the first init, the others join, then a check.
func smallLab() plan.Plan { return drawPlan(smallLabLines()...) }

func smallLabLines() []string {
	return []string{
		"cp/base", "w1/base", "w2/base", "w3/base", "cp/init after cp/base",
		"w1/join after w1/base, cp/init", "w2/join after w2/base, cp/init", "w3/join after w3/base, cp/init",
		"cp/ready after w1/join, w2/join, w3/join",
	}
}

// task finds a task of a plan to change it.
func task(p plan.Plan, id plan.TaskID) *plan.Task {
	for i := range p.Tasks {
		if p.Tasks[i].ID == id {
			return &p.Tasks[i]
		}
	}
	panic("no task " + id)
}

// newEngine is an engine on a fake lab, with retries that do not wait long.
func newEngine(t testing.TB, p plan.Plan, f *fakeLab) (*Engine, *recorder) {
	t.Helper()
	dir, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	return &Engine{
		Plan: p, Provider: f, Dialer: f, Dir: dir, Sink: r,
		Retry: Retry{Tries: 4, First: time.Millisecond, Most: 4 * time.Millisecond},
	}, r
}

// outcomes is how the tasks of a run ended, by name.
func outcomes(s Summary) map[plan.TaskID]Outcome {
	all := map[plan.TaskID]Outcome{}
	for _, t := range s.Tasks {
		all[t.ID] = t.Outcome
	}
	return all
}

// up is an Up that has to succeed.
func up(t testing.TB, e *Engine) Summary {
	t.Helper()
	s, err := e.Up(context.Background(), UpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
