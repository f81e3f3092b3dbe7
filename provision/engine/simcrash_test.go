//go:build !windows

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/machine/sim"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// simCrash is an up of labs/k8s-basic on the simulator that ends by SIGKILL.
type simCrash struct {
	Lab   string     // folder of the lab
	Kind  event.Kind // die at the event of this kind
	After int        // with this number, from 1; 0: live
	// Baseline keeps the first good state, too.
	Baseline bool
}

func (c simCrash) engine(t testing.TB) *Engine {
	t.Helper()
	dir, err := state.Open(c.Lab)
	if err != nil {
		t.Fatal(err)
	}
	key := dir.Path("id_ed25519")
	if _, err := os.Stat(key); err != nil {
		if err := os.MkdirAll(dir.Path(), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := remote.GenerateKey(key); err != nil {
			t.Fatal(err)
		}
	}
	public, err := remote.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dialer := remote.NewDialer(remote.DialOptions{KnownHosts: dir.Path("known_hosts"), KeyFile: key})
	return &Engine{
		Plan: k8sBasic(t), Dir: dir, PublicKey: public, KeyFile: key, Dialer: dialer,
		Provider: sim.New(sim.Options{Lab: "k8s-basic", Dir: dir.Path("sim"), Executable: os.Args[0], Version: "test"}),
		Forget:   func(at remote.Endpoint) error { return dialer.Forget(context.Background(), at.Node) },
	}
}

// Whenever podium dies, up completes a simulated cluster: here after each of its tasks in turn.
func TestUpCompletesASimulatedClusterThatWasKilled(t *testing.T) {
	if text := os.Getenv(crashChild); text != "" {
		var c simCrash
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		upAndDie(t, c.engine(t), c.Kind, c.After, UpOptions{Baseline: c.Baseline})
		return
	}
	if testing.Short() {
		t.Skip("skipped: takes a process per task")
	}
	t.Parallel()
	want := newSimCrash(t, simCrash{}).result(t)
	tasks := slices.DeleteFunc(k8sBasic(t).Tasks, func(t plan.Task) bool { return t.Version != nil }) // those do not run
	for after := 1; after <= len(tasks); after++ {
		t.Run(fmt.Sprint("after task ", after), func(t *testing.T) {
			t.Parallel()
			c := newSimCrash(t, simCrash{Kind: event.TaskDone, After: after})
			c.Kind = ""
			c.start(t)
			if diff := cmp.Diff(want, c.result(t)); diff != "" {
				t.Errorf("the lab differs from one that was made in one go (-one go +killed):\n%s", diff)
			}
		})
	}
}

// Wherever podium dies while it keeps the first good state, no machine is forgotten: each is stopped, noted as unchecked, or
// was seen to work again. The next up says that the lab is ready when all nodes are.
func TestUpAfterAKillWhileTheFirstStateIsKept(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: takes a process per wait")
	}
	t.Parallel()
	// prepare; halt of 4; all stopped; snapshot, start and check of 4 each
	for after := 2; after <= 18; after++ {
		t.Run(fmt.Sprint("after wait ", after), func(t *testing.T) {
			t.Parallel()
			c := newSimCrash(t, simCrash{Kind: event.WaitOver, After: after, Baseline: true})
			e := c.engine(t)
			s, err := e.Dir.Load()
			if err != nil {
				t.Fatal(err)
			}
			is, err := e.Provider.Status(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			works := c.seenToWork(t)
			for name, m := range s.Machines {
				if after > 5 && is[name] == machine.Running && !m.Unchecked && !works[name] {
					t.Errorf("%s was started and is forgotten", name)
				}
			}
			c.Kind = ""
			c.start(t)
			for node, status := range c.result(t) {
				if strings.HasPrefix(node, "kubectl ") && !strings.HasPrefix(status, "Ready") {
					t.Errorf("up says that the lab is ready, %s is %s", node, status)
				}
			}
			if s, err = e.Dir.Load(); err != nil {
				t.Fatal(err)
			}
			for name, m := range s.Machines {
				if m.Unchecked {
					t.Errorf("%s is still unchecked", name)
				}
			}
			if len(s.Snapshots) != 1 || s.Snapshots[0].Incomplete {
				t.Errorf("snapshots: %+v", s.Snapshots)
			}
		})
	}
}

// seenToWork is the nodes that the journal has as working again.
func (c simCrash) seenToWork(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(c.engine(t).Dir.Path("journal.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	works := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var e event.Event
		if json.Unmarshal([]byte(line), &e) == nil && e.Kind == event.WaitOver && e.Text == servicesWork {
			works[e.Node] = true
		}
	}
	return works
}

// newSimCrash makes a lab of its own, up to where it dies.
func newSimCrash(t *testing.T, c simCrash) simCrash {
	t.Helper()
	c.Lab = t.TempDir()
	t.Cleanup(func() {
		if err := c.engine(t).Destroy(context.Background()); err != nil {
			t.Error(err)
		}
	})
	c.start(t)
	return c
}

func (c simCrash) start(t *testing.T) {
	t.Helper()
	startChild(t, "TestUpCompletesASimulatedClusterThatWasKilled", c, c.Kind != "")
}

// result is what the nodes have in the end, by their own word: the steps with their digests and which facts they gave,
// and what Kubernetes says of its nodes.
func (c simCrash) result(t *testing.T) map[string]string {
	t.Helper()
	e := c.engine(t)
	known, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := readNodeScripts()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name, m := range known.Machines {
		host, err := e.Dialer.Dial(context.Background(), *m.Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		defer host.Close()
		seen, err := inspect(context.Background(), host, scripts)
		if err != nil {
			t.Fatal(err)
		}
		for step, marker := range seen.Markers {
			facts := slices.Sorted(maps.Keys(marker.Facts))
			all[name+"/"+step] = digestText(marker.Digest) + " " + strings.Join(facts, " ")
			if got := known.Steps[name][step].Digest; got != digestText(marker.Digest) {
				t.Errorf("state says that %s/%s is %s, the node has %s", name, step, got, digestText(marker.Digest))
			}
		}
		if name != "cp" {
			continue
		}
		out := runOn(t, e, name, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "get", "nodes", "--no-headers")
		for line := range strings.Lines(out) {
			fields := strings.Fields(line)
			all["kubectl "+fields[0]] = strings.Join(fields[1:3], " ")
		}
	}
	return all
}
