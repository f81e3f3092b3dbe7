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
