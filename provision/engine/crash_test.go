//go:build !windows

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/remote/remotetest"
	"podium/provision/state"
)

// crashChild holds a crash as JSON in the process that is to be killed.
const crashChild = "PODIUM_TEST_CRASH"

// crash is a run of up that ends by SIGKILL.
type crash struct {
	Lab        string // folder of the lab
	Made       string // folder with a file for each machine that was made
	KnownHosts string
	Endpoints  map[string]remote.Endpoint
	Homes      map[string]string
	Kind       event.Kind // die at the event of this kind
	After      int        // with this number, from 1; 0: live
}

// scripts write what they do into the folder of their node, and fail when what they need is not there.
func (c crash) plan() plan.Plan {
	p := smallLab()
	for i := range p.Tasks {
		t := &p.Tasks[i]
		needs := ""
		for _, id := range t.After {
			node, step, _ := strings.Cut(string(id), "/")
			if step != plan.StepBoot {
				needs += fmt.Sprintf("[[ -s %s ]] || { echo 'needs %s'; exit 9; }\n", remote.Quote(filepath.Join(c.Homes[node], "did."+step)), id)
			}
		}
		t.Script.Text = fmt.Sprintf("set -euo pipefail\n%secho $$ >>\"$PODIUM_HOME/did.%s\"\nsleep 0.05\necho '%s_fact=x' >>\"$PODIUM_FACTS\"\n", needs, t.Step, t.Step)
		if t.Step == "join" {
			t.Inputs = []plan.Input{{Node: "cp", Script: plan.Script{Name: "input.sh", Text: "echo PODIUM_TOKEN=x >>\"$PODIUM_FACTS\"\n"}}}
		}
	}
	return p
}

func (c crash) engine(dir *state.Dir) *Engine {
	return &Engine{
		Plan: c.plan(), Provider: c, Dir: dir,
		Dialer: remote.NewDialer(remote.DialOptions{KnownHosts: c.KnownHosts}),
	}
}

func (c crash) Prepare(context.Context, machine.Spec) error { return nil }
func (c crash) Cleanup(context.Context) error               { return nil }

func (c crash) Up(_ context.Context, name string) (remote.Endpoint, error) {
	return c.Endpoints[name], os.WriteFile(filepath.Join(c.Made, name), nil, 0o600)
}

func (c crash) Status(context.Context) (map[string]machine.State, error) {
	all := map[string]machine.State{}
	files, err := os.ReadDir(c.Made)
	for _, f := range files {
		all[f.Name()] = machine.Running
	}
	return all, err
}

func (c crash) Halt(context.Context, string) error                   { return machine.ErrNotApplicable }
func (c crash) Destroy(context.Context, string) error                { return machine.ErrNotApplicable }
func (c crash) Snapshot(context.Context, string, string) error       { return machine.ErrNotApplicable }
func (c crash) Restore(context.Context, string, string) error        { return machine.ErrNotApplicable }
func (c crash) DeleteSnapshot(context.Context, string, string) error { return machine.ErrNotApplicable }

// upAndDie is the child: it dies where it is told to.
func upAndDie(t *testing.T, e *Engine, kind event.Kind, after int, o UpOptions) {
	unlock, err := e.Dir.Lock(context.Background(), "podium up")
	if err != nil {
		t.Fatal(err)
	}
	var count atomic.Int64 // tasks end at once
	e.Sink = event.Func(func(v event.Event) {
		if v.Kind == kind && count.Add(1) == int64(after) {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			select {} // the signal is on its way
		}
	})
	if _, err := e.Up(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

// startChild runs a test in a process of its own, which gets c, and has to be killed or else to succeed.
func startChild(t *testing.T, test string, c any, dies bool) {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	child.Env = append(os.Environ(), crashChild+"="+string(text))
	out, err := child.CombinedOutput()
	exit, _ := errors.AsType[*exec.ExitError](err)
	killed := exit != nil && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if dies && !killed {
		t.Fatalf("the child was not killed (%v):\n%s", err, out)
	}
	if !dies && err != nil {
		t.Fatalf("up fails: %v\n%s", err, out)
	}
}

// Whenever podium dies, up completes the lab: here in the middle of each task in turn, and after some. After each of
// all: see TestUpCompletesASimulatedClusterThatWasKilled.
func TestUpCompletesWhatWasKilled(t *testing.T) {
	if text := os.Getenv(crashChild); text != "" {
		var c crash
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		dir, err := state.Open(c.Lab)
		if err != nil {
			t.Fatal(err)
		}
		upAndDie(t, c.engine(dir), c.Kind, c.After, UpOptions{})
		return
	}
	t.Parallel()
	c := crash{Endpoints: map[string]remote.Endpoint{}, Homes: map[string]string{}}
	for _, m := range smallLab().Machines {
		home := t.TempDir()
		sshd := remotetest.OpenSSH(t, remotetest.SSHDOptions{Config: []string{nodeEnv(home)}})
		c.Endpoints[m.Name], c.Homes[m.Name] = sshd.Endpoint(m.Name), home
	}
	whole := c.lab(t)
	whole.start(t)
	want := whole.result(t)
	for kind, every := range map[event.Kind]int{event.TaskStarted: 1, event.TaskDone: 4} {
		for after := 1; after <= len(smallLab().Tasks); after += every {
			t.Run(fmt.Sprintf("%s %d", kind, after), func(t *testing.T) {
				c := c.lab(t)
				c.Kind, c.After = kind, after
				c.start(t)
				c.Kind = ""
				c.start(t)
				if diff := cmp.Diff(want, c.result(t)); diff != "" {
					t.Errorf("the lab differs from one that was made in one go (-one go +killed):\n%s", diff)
				}
				c.count(t)
			})
		}
	}
}

// lab is a lab of its own, with fresh nodes.
func (c crash) lab(t *testing.T) crash {
	t.Helper()
	c.Lab, c.Made = t.TempDir(), t.TempDir()
	c.KnownHosts = filepath.Join(c.Lab, "known_hosts")
	for _, home := range c.Homes {
		files, err := filepath.Glob(filepath.Join(home, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.RemoveAll(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

func (c crash) start(t *testing.T) {
	t.Helper()
	startChild(t, "TestUpCompletesWhatWasKilled", c, c.Kind != "")
}

// result is the lab as it is in the end: the markers and the state, without times.
func (c crash) result(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for node, home := range c.Homes {
		files, err := filepath.Glob(filepath.Join(home, "steps", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(l string) bool { return strings.HasPrefix(l, "done=") })
			all[node+"/"+filepath.Base(f)] = strings.Join(lines, "\n")
		}
	}
	dir, err := state.Open(c.Lab)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	for node, steps := range s.Steps {
		for name, step := range steps {
			steps[name] = state.Step{Digest: step.Digest}
		}
		m := s.Machines[node]
		m.Endpoint = nil
		s.Machines[node] = m
	}
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	all["state"] = string(text)
	return all
}

// count checks that what was done before the crash was not done again, but for what ran when it came.
func (c crash) count(t *testing.T) {
	t.Helper()
	again := 0
	for node, home := range c.Homes {
		files, err := filepath.Glob(filepath.Join(home, "did.*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n > 2 {
				t.Errorf("%s %s ran %d times", node, filepath.Base(f), n)
			} else if n == 2 {
				again++
			}
		}
	}
	if again > len(c.Homes) {
		t.Errorf("%d steps ran twice, want at most those that ran side by side", again)
	}
}
