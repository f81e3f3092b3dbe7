package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"podium/provision/event"
	"podium/provision/machine/sim"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// simEngine is an engine on simulated nodes in this process. scenario is a sim.yaml; empty: nothing goes wrong.
func simEngine(t testing.TB, p plan.Plan, scenario string) (*Engine, *recorder) {
	t.Helper()
	host := sim.NewHost(nil)
	t.Cleanup(func() { host.Close() })
	dir, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := ""
	if scenario != "" {
		file = filepath.Join(t.TempDir(), "sim.yaml")
		if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := remote.GenerateKey(key); err != nil {
		t.Fatal(err)
	}
	public, err := remote.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dialer := remote.NewDialer(remote.DialOptions{KeyFile: key, Deadline: 10 * time.Second})
	r := &recorder{}
	return &Engine{
		Plan: p, Provider: sim.New(sim.Options{Lab: p.Lab.Name, InProcess: host, File: file}), Dir: dir, Sink: r, PublicKey: public, Dialer: dialer,
		Forget:     func(at remote.Endpoint) error { return dialer.Forget(context.Background(), at.Node) },
		Retry:      Retry{Tries: 4, First: 50 * time.Millisecond, Most: 200 * time.Millisecond},
		AskTimeout: 20 * time.Second,
	}, r
}

// What goes wrong on a node and passes is got over; what does not is told, and the other node is made all the same.
func TestUpOnNodesWithFaults(t *testing.T) {
	for _, tt := range []struct {
		name     string
		scenario string // of node n1
		fails    string // the step of n1 that fails; empty: up gets over it
		is       error  // in the error's chain
		says     string // in the error's text
		retries  bool
	}{
		{name: "connection cut in the middle of a command", scenario: "ssh: {drop: [{command: apt-get, times: 1}]}", retries: true},
		{name: "connections refused after the boot", scenario: "ssh: {refuse: 3}"},
		{name: "reboot in the middle of a command", scenario: "reboot: [{command: apt-get, times: 1}]", retries: true},
		{name: "package lock held for a while", scenario: "apt_lock: 1s"},
		{name: "downloads fail", scenario: "downloads: 3"},
		{name: "a command fails once and again", scenario: "fail: [{command: systemctl, times: 50, message: no such luck}]", fails: "base", says: "no such luck"},
		{name: "no network", scenario: "network: none", fails: "base", says: "75", retries: true},
		{name: "connections never answered", scenario: "host: unreachable", fails: "boot", is: remote.ErrUnreachable},
		{name: "connections refused", scenario: "host: down", fails: "boot", is: remote.ErrUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, events := simEngine(t, dockerLab(t, 2), "nodes:\n  n1: {"+tt.scenario+"}\n")
			s, err := e.Up(context.Background(), UpOptions{})
			how := outcomes(s)
			if got := len(events.of(event.TaskRetrying)) > 0; got != tt.retries {
				t.Errorf("tried again: %v, want %v", got, tt.retries)
			}
			if how["n2/docker"] != Done {
				t.Errorf("the other node is not made: %v", how)
			}
			if tt.fails == "" {
				if err != nil || how["n1/docker"] != Done {
					t.Errorf("up gives %v, %v", err, how)
				}
				return
			}
			run, ok := errors.AsType[*RunError](err)
			if !ok || len(run.Failures) != 1 || run.Failures[0].ID != plan.TaskID("n1/"+tt.fails) {
				t.Fatalf("up gives %v, want the failure of n1/%s alone", err, tt.fails)
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("up gives %v, want %v and %q", err, tt.is, tt.says)
			}
		})
	}
}

func TestUpOnAFullDisk(t *testing.T) {
	roomy, _ := simEngine(t, dockerLab(t, 1), "")
	up(t, roomy)
	used, err := strconv.Atoi(strings.Fields(runOn(t, roomy, "n1", "df", "--output=used", "/"))[1])
	if err != nil {
		t.Fatal(err)
	}
	e, _ := simEngine(t, dockerLab(t, 1), fmt.Sprintf("disk: %dMiB\n", used/1024-100))
	_, err = e.Up(context.Background(), UpOptions{})
	failure, ok := errors.AsType[*TaskError](err)
	if !ok || failure.ID != "n1/docker" || !strings.Contains(strings.Join(failure.Last, " "), "the disk of n1 is full") {
		t.Errorf("up gives %v, want that n1/docker says that the disk is full", err)
	}
}

// runOn runs a command as root on a node of the engine's lab and gives what it says.
func runOn(t testing.TB, e *Engine, node string, args ...string) string {
	t.Helper()
	known, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	host, err := e.Dialer.Dial(context.Background(), *known.Machines[node].Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	out, err := host.Run(context.Background(), remote.Command{Args: args, Sudo: true})
	if err != nil {
		t.Fatal(err)
	}
	return string(out.Stdout)
}

func TestResetOfSimulatedNodes(t *testing.T) {
	e, _ := simEngine(t, k8sBasic(t), "")
	ctx := context.Background()
	s, err := e.Up(ctx, UpOptions{Baseline: true})
	if err != nil || s.Baseline != BaselineTag {
		t.Fatalf("up gives %q, %v", s.Baseline, err)
	}
	look := func(node string, args ...string) string { return runOn(t, e, node, args...) }
	look("w1", "rm", "-rf", "/etc/kubernetes", "/var/lib/podium")
	look("w2", "kubeadm", "reset", "--force")
	e.Plan = plan.Plan{}
	if err := e.Reset(ctx, ""); err != nil {
		t.Fatal(err)
	}
	nodes := look("cp", "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "get", "nodes", "--no-headers")
	if got := strings.Count(nodes, " Ready "); got != 4 {
		t.Errorf("after reset %d nodes are Ready, want 4:\n%s", got, nodes)
	}
	all, err := e.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if !n.SSH || n.Done != n.Total || n.Total == 0 {
			t.Errorf("after reset %s has %d of %d steps, SSH %v", n.Name, n.Done, n.Total, n.SSH)
		}
		for _, u := range n.Services {
			if u.Active != "active" {
				t.Errorf("after reset %s on %s is %s", u.Unit, n.Name, u.Active)
			}
		}
	}
	if err := e.Destroy(ctx); err != nil {
		t.Error(err)
	}
}
