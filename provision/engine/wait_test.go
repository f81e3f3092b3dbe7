package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"podium/provision/event"
	"podium/provision/machine"
)

// told is what somebody who watches was told of waits: "cp/ready after 10s: text".
func told(r *recorder) []string {
	var lines []string
	for _, e := range r.of(event.Waiting) {
		if e.Duration > 0 {
			lines = append(lines, fmt.Sprintf("%s/%s after %v: %s", e.Node, e.Step, e.Duration.Round(time.Second), e.Text))
		}
	}
	return lines
}

// logs makes a script that says lines, a while after each, and then ends by err.
func logs(w io.Writer, pause time.Duration, err error, lines ...string) (string, error) {
	for _, line := range lines {
		fmt.Fprintln(w, line)
		time.Sleep(pause)
	}
	return "", err
}

func TestUpTellsWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeLab()
		f.script = func(_ context.Context, r scriptRun) (string, error) {
			if r.ID() == "cp/ready" {
				return logs(r.Log, 12*time.Second, nil, "not yet: w3 is NotReady", "see there: journalctl -u kubelet", "all nodes are Ready", "see: kubectl get nodes")
			}
			return "", nil
		}
		e, events := newEngine(t, smallLab(), f)
		up(t, e)
		want := []string{
			"cp/ready after 10s: w3 is NotReady", "cp/ready after 20s: w3 is NotReady",
			"cp/ready after 30s: all nodes are Ready", "cp/ready after 40s: all nodes are Ready",
		}
		if diff := cmp.Diff(want, told(events)); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// Of many waits the oldest are told, and how many more there are.
func TestUpTellsOfManyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeLab()
		f.bootTime = func(string) time.Duration { return 15 * time.Second }
		var lines []string
		for i := range 8 {
			lines = append(lines, fmt.Sprintf("n%d/a", i))
		}
		e, events := newEngine(t, drawPlan(lines...), f)
		up(t, e)
		var more int
		for _, w := range events.of(event.Waiting) {
			more += w.Tasks
		}
		if got := told(events); len(got) != 3 || more != 5 || !strings.Contains(got[0], "/boot after 10s") {
			t.Errorf("told %q and %d more, want three boots and five more", got, more)
		}
	})
}

// A check that fails after a restart is named at once, and given up when nothing changes; the next up checks it again.
func TestChecksThatFailAfterARestart(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script func(ctx context.Context, w io.Writer) (string, error)
		within time.Duration
		says   string
	}{
		{"nothing changes", func(ctx context.Context, w io.Writer) (string, error) {
			fmt.Fprintln(w, "not yet: join: the kubelet is inactive")
			<-ctx.Done()
			return "", nil
		}, recoverPatience + time.Second, "nothing has changed for 3m0s"},
		{"a check that will not hold", func(_ context.Context, w io.Writer) (string, error) {
			return logs(w, 6*time.Second, exitCode(1), "never: join: the kubelet is inactive")
		}, 10 * time.Second, "exit code 1"},
		{"news all the time", func(ctx context.Context, w io.Writer) (string, error) {
			for i := 0; ctx.Err() == nil; i++ {
				_, _ = logs(w, 20*time.Second, nil, fmt.Sprintf("not yet: join: the kubelet is inactive, %d", i))
			}
			return "", nil
		}, recoverDeadline + 21*time.Second, "given up after 10m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeLab()
				e, events := newEngine(t, smallLab(), f)
				broken := true
				f.script = func(ctx context.Context, r scriptRun) (string, error) {
					if broken && r.ID() == "w2/recover" {
						return tt.script(ctx, r.Log)
					}
					return "", nil
				}
				start := time.Now()
				s, err := e.Up(context.Background(), UpOptions{Baseline: true})
				if took := time.Since(start); took > tt.within {
					t.Errorf("given up after %v, want within %v", took, tt.within)
				}
				failed, ok := errors.AsType[*TaskError](err)
				if !ok || failed.ID != "w2/join" || len(s.Failures) != 1 {
					t.Fatalf("up gives %v, want the failure of w2/join", err)
				}
				for _, part := range []string{"the check of join fails since the machine was started: the kubelet is inactive", tt.says, "recover.log", "hint: look at join"} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("error lacks %q:\n%v", part, err)
					}
				}
				if got := told(events); len(got) < 1 || !strings.HasPrefix(got[0], "w2/join after 2s: the kubelet is inactive") {
					t.Errorf("told %q, want the failing check after 2 s", got)
				}
				if s.Baseline != BaselineTag || f.tags() != "cp:ready w1:ready w2:ready w3:ready" {
					t.Errorf("baseline %q of %s: the snapshot was kept", s.Baseline, f.tags())
				}
				if got := outcomes(s)["w2/join"]; got != Failed {
					t.Errorf("w2/join is %s", got)
				}
				if st := statusOf(t, e, "w2"); len(st.Failures) != 1 || st.Failures[0].Step != "join" {
					t.Errorf("status has %+v", st.Failures)
				}
				f.clear()
				if _, err := e.Up(context.Background(), UpOptions{Baseline: true}); err == nil {
					t.Error("the next up says that the lab is ready")
				}
				broken = false
				up(t, e)
				if st := statusOf(t, e, "w2"); len(st.Failures) != 0 {
					t.Errorf("status still has %+v", st.Failures)
				}
				f.clear()
				up(t, e)
				if got := f.called("run"); len(got) != 0 {
					t.Errorf("checked again: %v", got)
				}
			})
		})
	}
}

func statusOf(t *testing.T, e *Engine, node string) NodeStatus {
	t.Helper()
	nodes, err := e.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if n.Name == node {
			return n
		}
	}
	t.Fatalf("status has no %s", node)
	return NodeStatus{}
}

// Every halt, snapshot and start is told when it begins and when it ends, so that nobody takes a lab that waits for done.
func TestSnapshotTellsItsWaits(t *testing.T) {
	f := newFakeLab()
	e, events := newEngine(t, drawPlan("n1/a"), f)
	if _, err := e.Up(context.Background(), UpOptions{Baseline: true}); err != nil {
		t.Fatal(err)
	}
	open := map[string]int{}
	var order []string
	for _, ev := range events.events {
		switch {
		case ev.Kind == event.Waiting && ev.Duration == 0:
			open[ev.Node+ev.Text]++
			order = append(order, ev.Text)
		case ev.Kind == event.WaitOver:
			open[ev.Node+ev.Text]--
		}
	}
	if diff := cmp.Diff([]string{"prepare the machines", "halt", "the machines stop", "snapshot", "start", "its services work again"}, order); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	for what, n := range open {
		if n != 0 {
			t.Errorf("%s is not over", what)
		}
	}
}

// A lab that was stopped while its machines were started again is not ready before their checks have held.
func TestUpChecksWhatAnEarlierOneStarted(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	ctx, stop := context.WithCancel(context.Background())
	f.script = func(ctx context.Context, r scriptRun) (string, error) {
		if r.ID() == "w1/recover" {
			stop()
			<-ctx.Done()
		}
		return "", nil
	}
	s, err := e.Up(ctx, UpOptions{Baseline: true})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("up gives %v", err)
	}
	if !slices.Contains(s.Unchecked, "w1") {
		t.Errorf("the summary has %q as unchecked, want w1 among them", s.Unchecked)
	}
	if diff := cmp.Diff(allOf(machine.Running), f.states()); diff != "" {
		t.Fatalf("machines (-want +got):\n%s", diff)
	}
	f.script = nil
	f.clear()
	if s := up(t, e); len(s.Unchecked) > 0 {
		t.Errorf("unchecked after an up that ended well: %q", s.Unchecked)
	}
	if got := f.called("run"); !strings.Contains(strings.Join(got, " "), "run w1/recover") {
		t.Errorf("up ran %v, want the checks of w1", got)
	}
}

// What the description has no more is not waited for, and what was not finished neither.
func TestChecksOnlyWhatIsWanted(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, drawPlan("n1/a", "n1/b", "n1/c"), f)
	up(t, e)
	e.Plan = drawPlan("n1/a", "n1/b")
	up(t, e)
	f.machines["n1"].markers["b"] = "fact.x=1\n" // cut off
	var checked []string
	f.script = func(_ context.Context, r scriptRun) (string, error) {
		if r.Step == recoverStep {
			for _, step := range []string{"a", "b", "c"} {
				if strings.Contains(r.Bundle, "scripts/"+step+".probe.sh") {
					checked = append(checked, step)
				}
			}
		}
		return "", nil
	}
	e = withoutPlan(e)
	if err := e.SnapshotSave(context.Background(), "x"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, checked); diff != "" {
		t.Errorf("steps checked (-want +got):\n%s", diff)
	}
}
