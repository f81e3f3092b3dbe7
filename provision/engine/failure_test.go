package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/event"
	"podium/provision/plan"
	"podium/provision/remote"
)

// What does not depend on a failure is done; every failure is told with what a person needs.
func TestUpGoesOnAroundFailures(t *testing.T) {
	f := newFakeLab()
	f.script = func(_ context.Context, r scriptRun) (string, error) {
		switch r.ID() {
		case "w1/base", "w3/join":
			fmt.Fprintf(r.Log, "about to fail on %s\n", r.Node)
			return "", exitCode(7)
		}
		return "", nil
	}
	e, events := newEngine(t, smallLab(), f)
	e.LabArg = " labs/small"
	s, err := e.Up(context.Background(), UpOptions{Baseline: true})
	want := map[plan.TaskID]Outcome{
		"cp/boot": Done, "w1/boot": Done, "w2/boot": Done, "w3/boot": Done, "cp/base": Done, "w2/base": Done, "w3/base": Done,
		"cp/init": Done, "w2/join": Done, "w1/base": Failed, "w3/join": Failed, "w1/join": Blocked, "cp/ready": Blocked,
	}
	if diff := cmp.Diff(want, outcomes(s)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	run, ok := errors.AsType[*RunError](err)
	if !ok || len(run.Failures) != 2 || run.Failures[0].ID != "w1/base" || run.Failures[1].ID != "w3/join" || run.Blocked != 2 {
		t.Fatalf("up gives %#v, want both failures in the plan's order", err)
	}
	first := run.Failures[0]
	if diff := cmp.Diff([]string{"about to fail on w1"}, first.Last); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{"2 steps failed, 2 wait for them", "w1: base: base.sh: exit code 7", "about to fail on w1", "hint: look at base", "log: ", first.Log, "resume: podium up labs/small", "w3: join"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q:\n%v", part, err)
		}
	}
	if len(s.Failures) != 2 || s.Baseline != "" {
		t.Errorf("summary has %d failures and baseline %q", len(s.Failures), s.Baseline)
	}
	if got := len(events.of(event.TaskFailed)); got != 2 {
		t.Errorf("%d events of failure, want 2", got)
	}
	if left := f.called("destroy"); len(left) != 0 {
		t.Errorf("up has destroyed: %v", left)
	}
	f.script = nil
	wantRan(t, up(t, e), "w1/base", "w1/join", "w3/join", "cp/ready")
}

func TestUpRetriesOnlyWhatMayHelp(t *testing.T) {
	for _, tt := range []struct {
		name     string
		err      error
		attempts int
	}{
		{"temporary failure of the script", exitCode(75), 4},
		{"connection lost", fmt.Errorf("w1: %w", remote.ErrDisconnected), 4},
		{"any other exit code", exitCode(1), 1},
		{"login refused", remote.ErrAuth, 1},
		{"host key changed", remote.ErrHostKey, 1},
		{"some other error", errors.New("odd"), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeLab()
			f.script = func(context.Context, scriptRun) (string, error) { return "", tt.err }
			e, events := newEngine(t, drawPlan("w1/base"), f)
			s, err := e.Up(context.Background(), UpOptions{})
			if err == nil {
				t.Fatal("up succeeds")
			}
			if _, isExit := tt.err.(exitCode); !isExit && !errors.Is(err, tt.err) {
				t.Errorf("up gives %v, want %v in its chain", err, tt.err)
			}
			if got := s.Tasks[1].Attempts; got != tt.attempts {
				t.Errorf("%d tries, want %d", got, tt.attempts)
			}
			if got := len(events.of(event.TaskRetrying)); got != tt.attempts-1 {
				t.Errorf("%d events of retrying, want %d", got, tt.attempts-1)
			}
		})
	}
}

// A node that goes down in the middle of a step is started again and the step runs once more.
func TestUpNodeThatDies(t *testing.T) {
	f := newFakeLab()
	var once sync.Once
	f.script = func(ctx context.Context, r scriptRun) (string, error) {
		if r.ID() == "w2/join" {
			died := false
			once.Do(func() { f.halt("w2"); died = true })
			if died {
				<-ctx.Done()
			}
		}
		return "", nil
	}
	e, _ := newEngine(t, smallLab(), f)
	s := up(t, e)
	i := slices.IndexFunc(s.Tasks, func(r TaskResult) bool { return r.ID == "w2/join" })
	if got := s.Tasks[i]; got.Outcome != Done || got.Attempts != 2 {
		t.Errorf("w2/join is %+v, want done at the second try", got)
	}
	if f.machines["w2"].boots != 2 {
		t.Errorf("w2 was booted %d times, want 2", f.machines["w2"].boots)
	}
}

func TestUpUnreachableNode(t *testing.T) {
	f := newFakeLab()
	f.fail = func(call string) error {
		if call == "dial w2" {
			return fmt.Errorf("w2: %w", remote.ErrUnreachable)
		}
		return nil
	}
	e, _ := newEngine(t, smallLab(), f)
	s, err := e.Up(context.Background(), UpOptions{})
	if !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("up gives %v, want ErrUnreachable", err)
	}
	if got := len(f.called("dial w2")); got != 1 {
		t.Errorf("dialled %d times, want once: the dialer itself waits", got)
	}
	wantRan(t, s, "cp/base", "w1/base", "w3/base", "cp/init", "w1/join", "w3/join")
}

func TestUpCancelled(t *testing.T) {
	f := newFakeLab()
	ctx, cancel := context.WithCancel(context.Background())
	f.script = func(ctx context.Context, r scriptRun) (string, error) {
		if r.ID() == "cp/init" {
			cancel()
			<-ctx.Done()
		}
		return "", nil
	}
	e, _ := newEngine(t, smallLab(), f)
	s, err := e.Up(ctx, UpOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("up gives %v, want context.Canceled", err)
	}
	for id, how := range outcomes(s) {
		if how != Done && how != Cancelled {
			t.Errorf("%s is %s", id, how)
		}
	}
	f.script = nil
	up(t, e)
}

func TestUpProviderFails(t *testing.T) {
	for _, at := range []string{"prepare", "status", "up w1"} {
		f := newFakeLab()
		boom := errors.New("boom")
		f.fail = func(call string) error {
			if call == at {
				return boom
			}
			return nil
		}
		e, events := newEngine(t, smallLab(), f)
		if _, err := e.Up(context.Background(), UpOptions{}); !errors.Is(err, boom) {
			t.Errorf("%s fails: up gives %v", at, err)
		}
		if got := events.of(event.RunFinished); len(got) != 1 || !strings.Contains(got[0].Error, "boom") {
			t.Errorf("%s fails: run-finished is %+v", at, got)
		}
		f.fail = nil
		up(t, e)
	}
}

// The one who waits for another try is told what keeps it, not only that it was asked for.
func TestUpSaysWhyItTriesAgain(t *testing.T) {
	for _, tt := range []struct{ log, want string }{
		{"fetching\nthe mirror does not answer\nis it switched on?\n", "base.sh: the mirror does not answer; is it switched on?"},
		{"the database is not up yet\n", "base.sh: the database is not up yet"},
		{"", "base.sh: exit code 75: it says that trying again later may help"},
	} {
		f := newFakeLab()
		first := true
		f.script = func(_ context.Context, r scriptRun) (string, error) {
			if !first {
				return "", nil
			}
			first = false
			_, _ = io.WriteString(r.Log, tt.log)
			return "", exitCode(75)
		}
		e, events := newEngine(t, drawPlan("w1/base"), f)
		if _, err := e.Up(context.Background(), UpOptions{}); err != nil {
			t.Fatal(err)
		}
		again := events.of(event.TaskRetrying)
		if len(again) != 1 || again[0].Error != tt.want {
			t.Errorf("%+v, want one with %q", again, tt.want)
		}
	}
}

// What failed stays in the state, and in what status says, until it succeeds: a person may come back the next day.
func TestFailuresAreRememberedUntilTheyAreGone(t *testing.T) {
	f := newFakeLab()
	broken := map[string]bool{"w1/base": true, "w3/join": true}
	f.script = func(_ context.Context, r scriptRun) (string, error) {
		if broken[r.ID()] {
			fmt.Fprintf(r.Log, "the disk of %s is full\n", r.Node)
			return "", exitCode(1)
		}
		return "", nil
	}
	e, _ := newEngine(t, smallLab(), f)
	remembered := func() map[string]string {
		t.Helper()
		nodes, err := e.Status(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, n := range nodes {
			for _, failed := range n.Failures {
				if failed.At.IsZero() || failed.Log == "" || failed.Hint == "" {
					t.Errorf("%s/%s lacks its time, log or hint: %+v", n.Name, failed.Step, failed)
				}
				all[n.Name+"/"+failed.Step] = failed.Error + ": " + strings.Join(failed.Last, "; ")
			}
		}
		return all
	}
	if _, err := e.Up(context.Background(), UpOptions{}); err == nil {
		t.Fatal("up succeeds")
	}
	want := map[string]string{"w1/base": "base.sh: exit code 1: the disk of w1 is full", "w3/join": "join.sh: exit code 1: the disk of w3 is full"}
	if diff := cmp.Diff(want, remembered()); diff != "" {
		t.Errorf("after a failed up (-want +got):\n%s", diff)
	}
	broken["w1/base"] = false
	_, _ = e.Up(context.Background(), UpOptions{})
	delete(want, "w1/base")
	if diff := cmp.Diff(want, remembered()); diff != "" {
		t.Errorf("after one of them has succeeded (-want +got):\n%s", diff)
	}
	e.Plan = drawPlan(slices.DeleteFunc(smallLabLines(), func(l string) bool { return strings.HasPrefix(l, "w3/join") || strings.HasPrefix(l, "cp/ready") })...)
	up(t, e)
	if got := remembered(); len(got) > 0 {
		t.Errorf("after the step was taken out: %v", got)
	}
}
