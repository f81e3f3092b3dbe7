package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"podium/provision/machine"
	"podium/provision/machine/sim"
	"podium/provision/plan"
	"podium/provision/state"
)

// TestMain lets the test's own program be the simulator's host process, as podium's is.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "sim-host" {
		if err := sim.Serve(context.Background(), sim.ServeOptions{Dir: os.Args[3], Version: "test"}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m,
		// The simulator's provider keeps its connection to the host process, and waits for the end of one it started.
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Wait"),
	)
}

// did lists the steps that ran in a run, sorted; boots are left out.
func did(s Summary) []string {
	var ran []string
	for _, t := range s.Tasks {
		if t.Outcome == Done && t.Step != plan.StepBoot {
			ran = append(ran, string(t.ID))
		}
	}
	slices.Sort(ran)
	return ran
}

func wantRan(t *testing.T, s Summary, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, did(s)); diff != "" {
		t.Errorf("steps that ran (-want +got):\n%s", diff)
	}
}

func TestUpRunsEverythingOnceAndThenNothing(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	for id, how := range outcomes(up(t, e)) {
		if how != Done {
			t.Errorf("first up: %s is %s, want done", id, how)
		}
	}
	f.clear()
	for id, how := range outcomes(up(t, e)) {
		if how != Skipped {
			t.Errorf("second up: %s is %s, want skipped", id, how)
		}
	}
	want := []string{
		"close cp", "close w1", "close w2", "close w3", "dial cp", "dial w1", "dial w2", "dial w3",
		"look cp", "look w1", "look w2", "look w3", "prepare", "status", "up cp", "up w1", "up w2", "up w3",
	}
	if diff := cmp.Diff(want, f.called("")); diff != "" {
		t.Errorf("calls of the second up (-want +got): one round trip a node\n%s", diff)
	}
}

func TestUpRunsWhatChanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(p *plan.Plan, f *fakeLab)
		force  []string
		want   []string // steps that run
		reason string   // of the first
	}{
		{"nothing", func(*plan.Plan, *fakeLab) {}, nil, nil, ""},
		{"script", func(p *plan.Plan, _ *fakeLab) { task(*p, "cp/init").Digest.Script = "new" }, nil, []string{"cp/init"}, "script changed"},
		{"variables", func(p *plan.Plan, _ *fakeLab) { task(*p, "w1/join").Digest.Vars = "new" }, nil, []string{"w1/join"}, "variables changed"},
		{"files", func(p *plan.Plan, _ *fakeLab) { task(*p, "w1/join").Digest.Files = "new" }, nil, []string{"w1/join"}, "files changed"},
		{"two of them", func(p *plan.Plan, _ *fakeLab) {
			task(*p, "w1/join").Digest = plan.Digest{Script: "new", Vars: "v-w1", Files: "new"}
		}, nil, []string{"w1/join"}, "script, files changed"},
		{"a step more", func(p *plan.Plan, _ *fakeLab) {
			*p = drawPlan(append(smallLabLines(), "w1/extra after w1/join")...)
		}, nil, []string{"w1/extra"}, "missing"},
		{"a node more", func(p *plan.Plan, _ *fakeLab) {
			*p = drawPlan(append(smallLabLines(), "w4/base", "w4/join after w4/base, cp/init")...)
		}, nil, []string{"w4/base", "w4/join"}, "missing"},
		{"a machine destroyed behind our back", func(_ *plan.Plan, f *fakeLab) { delete(f.machines, "w2") }, nil, []string{"w2/base", "w2/join"}, "missing"},
		{"a marker lost", func(_ *plan.Plan, f *fakeLab) { delete(f.machines["w2"].markers, "join") }, nil, []string{"w2/join"}, "missing"},
		{"a marker of nonsense", func(_ *plan.Plan, f *fakeLab) { f.machines["w2"].markers["join"] = "\x00garbage\n" }, nil, []string{"w2/join"}, "was not finished"},
		{"a machine that was halted", func(_ *plan.Plan, f *fakeLab) { f.halt("w2") }, nil, nil, ""},
		{"a step forced", nil, []string{"join"}, []string{"w1/join", "w2/join", "w3/join"}, "forced"},
		{"a task forced", nil, []string{"w2/join"}, []string{"w2/join"}, "forced"},
		{"a node forced", nil, []string{"w2/*"}, []string{"w2/base", "w2/join"}, "forced"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeLab()
			e, _ := newEngine(t, smallLab(), f)
			up(t, e)
			if tt.change != nil {
				tt.change(&e.Plan, f)
			}
			changes, err := e.Changes(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			s, err := e.Up(context.Background(), UpOptions{Force: tt.force})
			if err != nil {
				t.Fatal(err)
			}
			wantRan(t, s, tt.want...)
			if tt.force == nil {
				var foretold []string
				for _, c := range changes {
					if c.Reason != "" && c.Step != plan.StepBoot {
						foretold = append(foretold, string(c.Task))
					}
				}
				slices.Sort(foretold)
				if diff := cmp.Diff(did(s), foretold); diff != "" && !strings.Contains(tt.name, "halted") {
					t.Errorf("Changes and Up differ (-up +changes):\n%s", diff)
				}
			}
			if len(tt.want) == 0 {
				return
			}
			i := slices.IndexFunc(s.Tasks, func(r TaskResult) bool { return string(r.ID) == tt.want[0] })
			if s.Tasks[i].Reason != tt.reason {
				t.Errorf("%s ran because %q, want %q", tt.want[0], s.Tasks[i].Reason, tt.reason)
			}
		})
	}
}

func TestUpForceOfNothing(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	_, err := e.Up(context.Background(), UpOptions{Force: []string{"jion"}})
	if err == nil || !strings.Contains(err.Error(), `"jion"`) || len(f.called("")) != 0 {
		t.Errorf("up gives %v after %v, want a refusal that names it, and nothing touched", err, f.called(""))
	}
}

func TestUpWaitsForServicesOfRestartedMachines(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	up(t, e)
	f.halt("w2")
	f.clear()
	up(t, e)
	if diff := cmp.Diff([]string{"run w2/recover"}, f.called("run")); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	f.halt("w2")
	f.script = func(context.Context, scriptRun) (string, error) { return "", exitCode(124) }
	s, err := e.Up(context.Background(), UpOptions{})
	if failed, ok := errors.AsType[*TaskError](err); !ok || failed.Node != "w2" || len(s.Failures) != 1 {
		t.Errorf("up gives %v, want that w2 does not come back", err)
	}
	f.script = nil
	f.clear()
	up(t, e)
	if diff := cmp.Diff([]string{"run w2/recover"}, f.called("run")); diff != "" {
		t.Errorf("runs of an up after one that failed, with all machines running (-want +got):\n%s", diff)
	}
	f.clear()
	up(t, e)
	if got := f.called("run"); len(got) > 0 {
		t.Errorf("runs once all is checked: %v", got)
	}
}

func TestUpBounds(t *testing.T) {
	f := newFakeLab()
	f.bootTime = func(string) time.Duration { return 2 * time.Millisecond }
	f.script = func(context.Context, scriptRun) (string, error) { time.Sleep(time.Millisecond); return "", nil }
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("n%d/a", i), fmt.Sprintf("n%d/b", i))
	}
	e, _ := newEngine(t, drawPlan(lines...), f)
	e.Parallel = 3
	up(t, e)
	if f.mostAtOne > 3 {
		t.Errorf("%d things at once, want at most 3", f.mostAtOne)
	}
}

func TestUpFactsAndSecrets(t *testing.T) {
	f := newFakeLab()
	f.script = func(_ context.Context, r scriptRun) (string, error) {
		switch r.ID() {
		case "cp/init":
			return "api_url=https://cp\nsecret_admin_password=hunter22\n", nil
		case "cp/ready":
			fmt.Fprintln(r.Log, "logging in with hunter22 now")
		}
		return "", nil
	}
	e, events := newEngine(t, smallLab(), f)
	s := up(t, e)
	if diff := cmp.Diff(map[string]string{"api_url": "https://cp"}, s.Nodes[0].Facts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"secret_admin_password"}, s.Nodes[0].Secrets); diff != "" {
		t.Error(diff)
	}
	for _, ev := range events.events {
		if strings.Contains(fmt.Sprint(ev), "hunter22") {
			t.Errorf("event holds the secret: %+v", ev)
		}
	}
	err := filepath.WalkDir(e.Dir.Path(), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "state.json") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "hunter22") {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestUpRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, e *Engine)
		want  error
	}{
		{"another provider", func(_ *testing.T, e *Engine) { e.Plan.Lab.Provider = "virtualbox" }, ErrOtherProvider},
		{"a broken state file", func(t *testing.T, e *Engine) { overwrite(t, e, `{"version": 1, "machi`) }, state.ErrBroken},
		{"an empty state file", func(t *testing.T, e *Engine) { overwrite(t, e, "") }, state.ErrBroken},
		{"a state file of a newer podium", func(t *testing.T, e *Engine) { overwrite(t, e, `{"version": 99}`) }, state.ErrNewer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeLab()
			e, _ := newEngine(t, smallLab(), f)
			up(t, e)
			tt.spoil(t, e)
			before, err := os.ReadFile(e.Dir.Path("state.json"))
			if err != nil {
				t.Fatal(err)
			}
			f.clear()
			if _, err := e.Up(context.Background(), UpOptions{}); !errors.Is(err, tt.want) {
				t.Errorf("up gives %v, want %v", err, tt.want)
			}
			if calls := f.called(""); len(calls) != 0 {
				t.Errorf("up has touched something: %v", calls)
			}
			if after, _ := os.ReadFile(e.Dir.Path("state.json")); string(after) != string(before) {
				t.Error("up has changed the state file")
			}
		})
	}
}

func overwrite(t *testing.T, e *Engine, text string) {
	t.Helper()
	if err := os.WriteFile(e.Dir.Path("state.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A state file that is moved away costs nothing: machines, markers and facts are asked for again.
func TestUpWithoutItsState(t *testing.T) {
	f := newFakeLab()
	f.script = func(_ context.Context, r scriptRun) (string, error) { return "secret_x=" + r.ID() + "\n", nil }
	e, _ := newEngine(t, smallLab(), f)
	up(t, e)
	f.machines["old"] = &fakeMachine{state: machine.Running}
	before, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(e.Dir.Path("state.json"), e.Dir.Path("state.json.broken")); err != nil {
		t.Fatal(err)
	}
	s := up(t, e)
	wantRan(t, s)
	if diff := cmp.Diff([]string{"old"}, s.Removed); diff != "" {
		t.Error(diff)
	}
	after, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Facts, after.Facts); diff != "" {
		t.Errorf("facts (-before +after):\n%s", diff)
	}
}

func TestUpReportsRemovedNodes(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	up(t, e)
	e.Plan = drawPlan("cp/base", "w1/base", "cp/init after cp/base", "w1/join after w1/base, cp/init")
	s := up(t, e)
	if diff := cmp.Diff([]string{"w2", "w3"}, s.Removed); diff != "" {
		t.Error(diff)
	}
	if got := f.called("destroy"); len(got) != 0 {
		t.Errorf("up has destroyed: %v", got)
	}
	all, err := e.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	removed := map[string]bool{}
	for _, n := range all {
		removed[n.Name] = n.Removed
	}
	if diff := cmp.Diff(map[string]bool{"cp": false, "w1": false, "w2": true, "w3": true}, removed); diff != "" {
		t.Error(diff)
	}
	if err := e.Destroy(context.Background(), "w2", "w3"); err != nil {
		t.Fatal(err)
	}
	if s := up(t, e); len(s.Removed) != 0 {
		t.Errorf("after destroy, up reports %v", s.Removed)
	}
	if got := slices.Sorted(maps.Keys(f.machines)); !slices.Equal(got, []string{"cp", "w1"}) {
		t.Errorf("machines left: %v", got)
	}
}

// A step that was taken out of the lab stays where it was done, and up says so.
func TestUpReportsStepsTakenOut(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, drawPlan("cp/base", "w1/base", "cp/extra after cp/base"), f)
	if s := up(t, e); len(s.Left) != 0 {
		t.Errorf("the first up reports %v", s.Left)
	}
	e.Plan = drawPlan("cp/base", "w1/base")
	for range 2 {
		if diff := cmp.Diff([]plan.TaskID{"cp/extra"}, up(t, e).Left); diff != "" {
			t.Error(diff)
		}
	}
	e.Plan = drawPlan("cp/base", "w1/base", "cp/extra after cp/base")
	if s := up(t, e); len(s.Left) != 0 {
		t.Errorf("up with the step back in reports %v", s.Left)
	}
}
