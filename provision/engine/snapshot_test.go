package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/machine"
	"podium/provision/state"
)

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
		t.Errorf("up with a node more keeps %q, want the first good state again", got)
	}
	if err := e.Reset(ctx, ""); err != nil {
		t.Error(err)
	}
}

func TestMachineMadeAnewLosesItsSnapshots(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	ctx := context.Background()
	if _, err := e.Up(ctx, UpOptions{Baseline: true}); err != nil {
		t.Fatal(err)
	}
	if err := e.SnapshotSave(ctx, "mine"); err != nil {
		t.Fatal(err)
	}
	if err := f.Destroy(ctx, "w1"); err != nil { // behind the engine's back
		t.Fatal(err)
	}
	s, err := e.Up(ctx, UpOptions{Baseline: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.Baseline != BaselineTag {
		t.Errorf("up that recreated a machine keeps %q, want the first good state again", s.Baseline)
	}
	before := f.states()
	if err := e.SnapshotRestore(ctx, "mine"); !errors.Is(err, ErrSnapshotIncomplete) {
		t.Errorf("restore of a snapshot that lost a machine gives %v", err)
	}
	if diff := cmp.Diff(before, f.states()); diff != "" {
		t.Errorf("the refused restore changed machines (-want +got):\n%s", diff)
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
