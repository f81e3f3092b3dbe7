package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// madeLab is a lab after its first up. Its engine has no plan any more: what is tested works without.
func madeLab(t *testing.T) (*Engine, *fakeLab) {
	t.Helper()
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	up(t, e)
	f.clear()
	return e, f
}

func failCall(f *fakeLab, at string, err error) {
	f.fail = func(call string) error {
		if call == at {
			return err
		}
		return nil
	}
}

// withoutPlan is the engine of a lab whose description is gone.
func withoutPlan(e *Engine) *Engine {
	bare := *e
	bare.Plan = plan.Plan{}
	return &bare
}

func (f *fakeLab) states() map[string]machine.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]machine.State{}
	for name, m := range f.machines {
		all[name] = m.state
	}
	return all
}

func allOf(is machine.State) map[string]machine.State {
	return map[string]machine.State{"cp": is, "w1": is, "w2": is, "w3": is}
}

func TestHalt(t *testing.T) {
	made, f := madeLab(t)
	e := withoutPlan(made)
	ctx := context.Background()
	if err := e.Halt(ctx, "w9"); !errors.Is(err, machine.ErrNotFound) || !strings.Contains(err.Error(), "cp, w1, w2, w3") {
		t.Errorf("halt of an unknown node gives %v", err)
	}
	boom := errors.New("boom")
	failCall(f, "halt w2", boom)
	err := e.Halt(ctx)
	failed, ok := errors.AsType[*NodeError](err)
	if !ok || failed.Node != "w2" || !errors.Is(err, boom) {
		t.Errorf("halt gives %v, want the failure of w2", err)
	}
	want := allOf(machine.Stopped)
	want["w2"] = machine.Running
	if diff := cmp.Diff(want, f.states()); diff != "" {
		t.Errorf("halt goes on over a failure (-want +got):\n%s", diff)
	}
	f.fail = nil
	if err := e.Halt(ctx, "w2"); err != nil {
		t.Error(err)
	}
	if s := up(t, made); len(did(s)) != 0 {
		t.Errorf("up after halt runs %v", did(s))
	}
}

func TestHaltDoesNotApply(t *testing.T) {
	made, f := madeLab(t)
	f.fail = func(call string) error {
		if strings.HasPrefix(call, "halt") {
			return fmt.Errorf("halt: %w", machine.ErrNotApplicable)
		}
		return nil
	}
	err := withoutPlan(made).Halt(context.Background())
	if !errors.Is(err, machine.ErrNotApplicable) || strings.Count(err.Error(), "does not apply") != 1 {
		t.Errorf("halt gives %q, want that it does not apply, once", err)
	}
}

func TestDestroy(t *testing.T) {
	made, f := madeLab(t)
	e := withoutPlan(made)
	ctx := context.Background()
	var forgotten []string
	e.Forget = func(at remote.Endpoint) error { forgotten = append(forgotten, at.Node); return nil }
	e.Parallel = 1
	boom := errors.New("boom")
	failCall(f, "destroy w1", boom)
	if err := e.Destroy(ctx); !errors.Is(err, boom) || len(f.called("cleanup")) != 0 {
		t.Errorf("destroy gives %v; cleanup: %v", err, f.called("cleanup"))
	}
	s, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(maps.Keys(s.Machines)); !slices.Equal(got, []string{"w1"}) {
		t.Errorf("state still knows %v, want w1 alone", got)
	}
	if diff := cmp.Diff([]string{"cp", "w2", "w3"}, forgotten); diff != "" {
		t.Error(diff)
	}
	f.fail = nil
	if err := e.Destroy(ctx); err != nil {
		t.Fatal(err)
	}
	if len(f.machines) != 0 || len(f.called("cleanup")) != 1 {
		t.Errorf("machines %v, cleanup %v", f.machines, f.called("cleanup"))
	}
	if s, err = e.Dir.Load(); err != nil || len(s.Machines)+len(s.Steps)+len(s.Facts)+len(s.Snapshots) != 0 || s.Provider != "" {
		t.Errorf("state after destroy is %+v, %v", s, err)
	}
	if err := e.Destroy(ctx); err != nil {
		t.Errorf("destroy of nothing gives %v", err)
	}
}

// What only the provider knows goes too: the state was lost, or the run ended before it was written.
func TestDestroyWithoutState(t *testing.T) {
	made, f := madeLab(t)
	if err := os.Remove(made.Dir.Path("state.json")); err != nil {
		t.Fatal(err)
	}
	if err := withoutPlan(made).Destroy(context.Background()); err != nil || len(f.machines) != 0 {
		t.Errorf("destroy gives %v, left %v", err, f.machines)
	}
}

func TestDestroyHalfMadeLab(t *testing.T) {
	f := newFakeLab()
	failCall(f, "up w2", errors.New("boom"))
	e, _ := newEngine(t, smallLab(), f)
	if _, err := e.Up(context.Background(), UpOptions{}); err == nil {
		t.Fatal("up succeeds")
	}
	f.fail = nil
	if err := withoutPlan(e).Destroy(context.Background()); err != nil || len(f.machines) != 0 {
		t.Errorf("destroy gives %v, left %v", err, f.machines)
	}
}

// tags lists the snapshots of each machine.
func (f *fakeLab) tags() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(f.machines)) {
		all = append(all, name+":"+strings.Join(slices.Sorted(maps.Keys(f.machines[name].snapshots)), "+"))
	}
	return strings.Join(all, " ")
}

func TestSnapshotSaveAndRestore(t *testing.T) {
	made, f := madeLab(t)
	e := withoutPlan(made)
	ctx := context.Background()
	if err := e.Halt(ctx, "w3"); err != nil {
		t.Fatal(err)
	}
	if err := e.SnapshotSave(ctx, "before-exam"); err != nil {
		t.Fatal(err)
	}
	if got, want := f.tags(), "cp:before-exam w1:before-exam w2:before-exam w3:before-exam"; got != want {
		t.Errorf("snapshots are %s, want %s", got, want)
	}
	want := allOf(machine.Running)
	want["w3"] = machine.Stopped
	if diff := cmp.Diff(want, f.states()); diff != "" {
		t.Errorf("machines after save (-want +got): those that ran run again\n%s", diff)
	}
	if err := e.SnapshotSave(ctx, "before-exam"); !errors.Is(err, ErrSnapshotExists) {
		t.Errorf("the same again gives %v, want ErrSnapshotExists", err)
	}
	task(made.Plan, "w1/join").Digest.Script = "other"
	up(t, made)
	if err := e.SnapshotRestore(ctx, "before-exam"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(allOf(machine.Running), f.states()); diff != "" {
		t.Errorf("machines after restore (-want +got):\n%s", diff)
	}
	s, err := e.Dir.Load()
	if err != nil || s.Restoring != "" {
		t.Errorf("state says restoring %q, %v", s.Restoring, err)
	}
	if got := s.Steps["w1"]["join"].Digest; got != "s-join:v-w1:f" {
		t.Errorf("state has %s for w1/join, want what the restored machine says", got)
	}
	wantRan(t, up(t, made), "w1/join")
	if err := e.SnapshotDelete(ctx, "before-exam"); err != nil {
		t.Fatal(err)
	}
	if got := f.tags(); strings.Contains(got, "exam") {
		t.Errorf("after delete there is %s", got)
	}
	for name, do := range map[string]func(context.Context, string) error{"restore": e.SnapshotRestore, "delete": e.SnapshotDelete, "reset": e.Reset} {
		if err := do(ctx, "before-exam"); !errors.Is(err, machine.ErrNoSnapshot) {
			t.Errorf("%s gives %v, want ErrNoSnapshot", name, err)
		}
	}
	for _, bad := range []string{"", "-x", "a b", "../x", strings.Repeat("x", 41)} {
		if err := e.SnapshotSave(ctx, bad); err == nil {
			t.Errorf("a snapshot may be called %q", bad)
		}
	}
}

func TestSnapshotSaveAllOrNothing(t *testing.T) {
	made, f := madeLab(t)
	e := withoutPlan(made)
	ctx := context.Background()
	boom := errors.New("pool is full")
	failCall(f, "snapshot w2 a", boom)
	if err := e.SnapshotSave(ctx, "a"); !errors.Is(err, boom) {
		t.Errorf("save gives %v, want the reason", err)
	}
	if got := f.tags(); got != "cp: w1: w2: w3:" {
		t.Errorf("left of the set: %s", got)
	}
	if diff := cmp.Diff(allOf(machine.Running), f.states()); diff != "" {
		t.Errorf("the lab does not run as before (-want +got):\n%s", diff)
	}
	if err := e.SnapshotRestore(ctx, "a"); !errors.Is(err, machine.ErrNoSnapshot) {
		t.Errorf("restore of a set that was taken back gives %v", err)
	}
}

// A crash in the middle of taking a set leaves one that is known to be incomplete.
func TestSnapshotIncomplete(t *testing.T) {
	made, f := madeLab(t)
	e := withoutPlan(made)
	ctx := context.Background()
	f.machines["cp"].snapshots["a"] = map[string]string{}
	if err := e.Dir.Update(func(s *state.State) error {
		s.Snapshots = append(s.Snapshots, state.Snapshot{Tag: "a", Nodes: []string{"cp", "w1", "w2", "w3"}, Incomplete: true})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := e.SnapshotRestore(ctx, "a"); !errors.Is(err, ErrSnapshotIncomplete) {
		t.Errorf("restore gives %v, want ErrSnapshotIncomplete", err)
	}
	if err := e.SnapshotSave(ctx, "a"); err != nil {
		t.Errorf("taking it again gives %v", err)
	}
	if err := e.SnapshotRestore(ctx, "a"); err != nil {
		t.Error(err)
	}
}

// switchable is a fake lab whose machines can be switched off.
type switchable struct{ *fakeLab }

func (s switchable) PowerOff(ctx context.Context, name string) error {
	if err := s.call("power off %s", name); err != nil {
		return err
	}
	return s.Halt(ctx, name)
}

func TestResetSwitchesOff(t *testing.T) {
	made, f := madeLab(t)
	ctx := context.Background()
	if err := made.SnapshotSave(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if n := len(f.called("power off")); n != 0 {
		t.Errorf("%d machines were switched off for a snapshot", n)
	}
	e := withoutPlan(made)
	e.Provider = switchable{f}
	if err := e.Reset(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if got, want := len(f.called("power off")), len(f.states()); got != want {
		t.Errorf("%d machines were switched off, want %d", got, want)
	}
	if diff := cmp.Diff(allOf(machine.Running), f.states()); diff != "" {
		t.Errorf("machines after reset (-want +got):\n%s", diff)
	}
}

func TestSnapshotRestoreFails(t *testing.T) {
	made, f := madeLab(t)
	e := withoutPlan(made)
	ctx := context.Background()
	if err := e.SnapshotSave(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	failCall(f, "restore w3 a", boom)
	if err := e.SnapshotRestore(ctx, "a"); !errors.Is(err, boom) {
		t.Errorf("restore gives %v", err)
	}
	if diff := cmp.Diff(allOf(machine.Stopped), f.states()); diff != "" {
		t.Errorf("machines of different moments must not run (-want +got):\n%s", diff)
	}
	f.fail = nil
	f.clear()
	up(t, made)
	if got := f.called("restore"); len(got) != 4 {
		t.Errorf("up has restored %v, want to finish what was begun on all", got)
	}
	if s, err := e.Dir.Load(); err != nil || s.Restoring != "" {
		t.Errorf("state says restoring %q, %v", s.Restoring, err)
	}
}

func TestSnapshotOfOtherNodes(t *testing.T) {
	made, f := madeLab(t)
	ctx := context.Background()
	if err := made.SnapshotSave(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	made.Plan = drawPlan(append(smallLabLines(), "w4/base")...)
	up(t, made)
	f.clear()
	err := made.SnapshotRestore(ctx, "a")
	if !errors.Is(err, ErrNodesChanged) || len(f.called("halt")) != 0 {
		t.Errorf("restore gives %v after %v, want a refusal", err, f.called("halt"))
	}
	if err := made.Destroy(ctx, "w4"); err != nil {
		t.Fatal(err)
	}
	if err := made.SnapshotRestore(ctx, "a"); err != nil {
		t.Errorf("with the old nodes, restore gives %v", err)
	}
}

func TestBaseline(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	ctx := context.Background()
	baseline := func() string {
		t.Helper()
		s, err := e.Up(ctx, UpOptions{Baseline: true})
		if err != nil {
			t.Fatal(err)
		}
		return s.Baseline
	}
	if err := e.Reset(ctx, ""); !errors.Is(err, machine.ErrNoSnapshot) {
		t.Errorf("reset of a lab that was never made gives %v", err)
	}
	if got := baseline(); got != BaselineTag {
		t.Errorf("first up keeps %q, want %q", got, BaselineTag)
	}
	if got := baseline(); got != "" {
		t.Errorf("second up keeps %q, want nothing", got)
	}
	f.machines["w1"].markers["join"] = "spoilt\n"
	f.halt("w2")
	if err := withoutPlan(e).Reset(ctx, ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(allOf(machine.Running), f.states()); diff != "" {
		t.Errorf("reset starts everything (-want +got):\n%s", diff)
	}
	wantRan(t, up(t, e))
	e.Plan = drawPlan(append(smallLabLines(), "w4/base")...)
	if got := baseline(); got != BaselineTag {
		t.Errorf("up with a node more keeps %q, want the first good state anew", got)
	}
	if err := e.Reset(ctx, ""); err != nil {
		t.Error(err)
	}
}

func TestBaselineDoesNotApply(t *testing.T) {
	f := newFakeLab()
	f.fail = func(call string) error {
		if strings.HasPrefix(call, "halt") || strings.HasPrefix(call, "snapshot") || strings.HasPrefix(call, "delete") {
			return machine.ErrNotApplicable
		}
		return nil
	}
	e, _ := newEngine(t, smallLab(), f)
	s, err := e.Up(context.Background(), UpOptions{Baseline: true})
	if err != nil || s.Baseline != "" {
		t.Errorf("up gives %q, %v, want that snapshots are left alone", s.Baseline, err)
	}
	if err := e.SnapshotSave(context.Background(), "a"); !errors.Is(err, machine.ErrNotApplicable) {
		t.Errorf("save gives %v, want ErrNotApplicable", err)
	}
}

func TestChangesTouchNothing(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	reasons := func() map[plan.TaskID]string {
		t.Helper()
		changes, err := e.Changes(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all := map[plan.TaskID]string{}
		for _, c := range changes {
			all[c.Task] = c.Reason
		}
		return all
	}
	if got := reasons(); got["w1/boot"] != "machine not made yet" || got["w1/join"] != "missing" {
		t.Errorf("before up: %v", got)
	}
	if e.Dir.Exists() {
		t.Error("Changes has made .podium")
	}
	up(t, e)
	for id, why := range reasons() {
		if why != "" {
			t.Errorf("after up, %s would run: %s", id, why)
		}
	}
	task(e.Plan, "w1/join").Digest.Script = "new"
	task(e.Plan, "w2/join").Digest.Vars = "new"
	f.halt("w1")
	failCall(f, "dial w2", remote.ErrUnreachable)
	f.clear()
	got := reasons()
	for id, want := range map[plan.TaskID]string{
		"w1/boot": "machine is stopped",
		"w1/base": "",
		"w1/join": "script changed (as of the last run: the machine is stopped)",
		"w2/boot": "",
		"w2/join": "variables changed (as of the last run: the node does not answer)",
		"w3/join": "",
	} {
		if got[id] != want {
			t.Errorf("%s: %q, want %q", id, got[id], want)
		}
	}
	for _, call := range f.called("") {
		switch verb, _, _ := strings.Cut(call, " "); verb {
		case "status", "dial", "look", "close":
		default:
			t.Errorf("Changes calls %s", call)
		}
	}
}

func TestStatus(t *testing.T) {
	p := smallLab()
	task(p, "w1/join").Services = []string{"kubelet", "containerd"}
	f := newFakeLab()
	made, _ := newEngine(t, p, f)
	up(t, made)
	e := withoutPlan(made)
	look := func() map[string]NodeStatus {
		t.Helper()
		list, err := e.Status(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]NodeStatus{}
		for i, n := range list {
			if want := []string{"cp", "w1", "w2", "w3"}; i < len(want) && n.Name != want[i] {
				t.Errorf("node %d is %s, want the order of the description", i, n.Name)
			}
			all[n.Name] = n
		}
		return all
	}
	w1 := look()["w1"]
	if w1.Machine != machine.Running || !w1.SSH || w1.Done != 2 || w1.Total != 2 || w1.Address != "192.0.2.11" || w1.Endpoint == nil {
		t.Errorf("w1 is %+v", w1)
	}
	if diff := cmp.Diff([]ServiceStatus{{"kubelet", "active"}, {"containerd", "active"}}, w1.Services); diff != "" {
		t.Error(diff)
	}
	f.halt("w1")
	delete(f.machines, "w2")
	delete(f.machines["w3"].markers, "join")
	all := look()
	if n := all["w1"]; n.Machine != machine.Stopped || n.SSH || n.SSHError != "" || n.Done != 2 || n.Services[0].Active != "" {
		t.Errorf("halted: %+v", n)
	}
	if n := all["w2"]; n.Machine != machine.Missing || n.SSH || n.Done != 0 || n.Total != 2 {
		t.Errorf("destroyed: %+v", n)
	}
	if n := all["w3"]; n.Done != 1 {
		t.Errorf("marker lost: %+v", n)
	}
	failCall(f, "status", errors.New("boom"))
	if n := look()["w3"]; n.Machine != machine.Unknown || !n.SSH {
		t.Errorf("provider fails: %+v", n)
	}
}
