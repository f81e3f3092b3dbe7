//go:build unix

package sim_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/machine/sim"
	"podium/provision/remote"
)

// TestMain lets the test binary be the background process: podium sim-host --dir DIR.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "sim-host" {
		if err := sim.Serve(context.Background(), sim.ServeOptions{Dir: os.Args[3], Version: "test"}); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	// The starter of a background process waits for it, so that no zombie stays, for as long as both live.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("os/exec.(*Cmd).Wait"))
}

// background is a provider with a host process of its own.
func background(t *testing.T) (*sim.Provider, string, machine.Spec) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "sim")
	p := sim.New(sim.Options{Lab: "bg", Dir: dir, Executable: self, Version: "test"})
	t.Cleanup(func() {
		if err := p.Cleanup(context.Background()); err != nil {
			t.Errorf("cleanup: %v", err)
		}
	})
	key := filepath.Join(filepath.Dir(dir), "id")
	if err := remote.GenerateKey(key); err != nil {
		t.Fatal(err)
	}
	public, err := remote.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return p, dir, machine.Spec{
		Lab: lab.Lab{Name: "bg", Box: "bento/ubuntu-24.04", User: "vagrant", Network: "192.168.56.0/24"}, PublicKey: public,
		Machines: []lab.Machine{{Name: "n1", Address: netip.MustParseAddr("192.168.56.10"), CPUs: 1, Memory: lab.GiB}},
	}
}

func dialer(dir string) *remote.Dialer {
	return remote.NewDialer(remote.DialOptions{
		KnownHosts: filepath.Join(filepath.Dir(dir), "known_hosts"), KeyFile: filepath.Join(filepath.Dir(dir), "id"), Deadline: 10 * time.Second,
	})
}

func TestBackgroundProcess(t *testing.T) {
	p, dir, spec := background(t)
	ctx := t.Context()
	if states, err := p.Status(ctx); err != nil || len(states) != 0 {
		t.Fatalf("status before anything: %v, %v", states, err)
	}
	for _, do := range []func() error{
		func() error { return p.Halt(ctx, "n1") }, func() error { return p.Destroy(ctx, "n1") }, func() error { return p.DeleteSnapshot(ctx, "n1", "x") },
		func() error { return p.Cleanup(ctx) },
	} {
		if err := do(); err != nil {
			t.Errorf("before anything: %v", err)
		}
	}
	if err := p.Restore(ctx, "n1", "x"); !errors.Is(err, machine.ErrNotFound) {
		t.Errorf("restore before anything: %v", err)
	}
	if err := p.Prepare(ctx, spec); err != nil {
		t.Fatal(err)
	}
	e, err := p.Up(ctx, "n1")
	if err != nil {
		t.Fatal(err)
	}
	h, err := dialer(dir).Dial(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	run(t, h, "echo kept >/root/kept")
	h.Close()

	// Another podium finds the same process and the same node.
	self, _ := os.Executable()
	other := sim.New(sim.Options{Lab: "bg", Dir: dir, Executable: self, Version: "test"})
	if err := other.Prepare(ctx, spec); err != nil {
		t.Fatal(err)
	}
	again, err := other.Up(ctx, "n1")
	if err != nil || again.Port != e.Port {
		t.Fatalf("up again: %v, %v, want port %d", again, err, e.Port)
	}
	h, err = dialer(dir).Dial(ctx, again)
	if err != nil {
		t.Fatal(err)
	}
	if out, _, _ := run(t, h, "cat /root/kept"); out != "kept\n" {
		t.Errorf("the node forgot: %q", out)
	}
	h.Close()
	info, err := os.Stat(filepath.Join(dir, "host.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("host.json: %v, %v", info, err)
	}
	if _, err := other.Up(ctx, "nosuch"); !errors.Is(err, machine.ErrNotFound) {
		t.Errorf("up of a node that is not described: %v", err)
	}
}

func TestDeadProcess(t *testing.T) {
	p, dir, spec := background(t)
	if err := p.Prepare(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context(), "n1"); err != nil {
		t.Fatal(err)
	}
	kill(t, dir)
	if states, err := p.Status(t.Context()); err != nil || len(states) != 0 {
		t.Errorf("status after the process died: %v, %v", states, err)
	}
	if _, err := p.Up(t.Context(), "n1"); !errors.Is(err, machine.ErrNotFound) {
		t.Errorf("up after the process died: %v", err)
	}
	self, _ := os.Executable()
	next := sim.New(sim.Options{Lab: "bg", Dir: dir, Executable: self, Version: "test"})
	if err := next.Prepare(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if _, err := next.Up(t.Context(), "n1"); err != nil {
		t.Errorf("up of new nodes: %v", err)
	}
}

func TestProcessEndsWithItsDirectory(t *testing.T) {
	p, dir, spec := background(t)
	if err := p.Prepare(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	pid := hostPID(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if !alive(pid) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

func TestOtherVersion(t *testing.T) {
	p, dir, spec := background(t)
	if err := p.Prepare(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	self, _ := os.Executable()
	newer := sim.New(sim.Options{Lab: "bg", Dir: dir, Executable: self, Version: "newer"})
	newer.Speak(99)
	if _, err := newer.Status(t.Context()); !errors.Is(err, sim.ErrVersion) || !strings.Contains(err.Error(), "podium destroy") {
		t.Errorf("status by another version: %v", err)
	}
	if err := newer.Destroy(t.Context(), "n1"); err != nil {
		t.Errorf("destroy by another version: %v", err)
	}
	if err := newer.Cleanup(t.Context()); err != nil {
		t.Errorf("cleanup by another version: %v", err)
	}
}

// TestHaltWithSessions halts a node on which commands run, ignore signals, and hold on to their output.
func TestHaltWithSessions(t *testing.T) {
	b := newBench(t, "", "n1")
	h := b.up("n1")
	for _, line := range []string{"sleep 1000", "trap '' TERM HUP; while true; do sleep 1; done", "(sleep 1000 &)", "cat", "tail -f /etc/hosts", "yes"} {
		go h.Run(t.Context(), remote.Command{Args: []string{"bash", "-c", line}, Sudo: true, Lifeline: true, Stdout: discard{}}) //nolint:errcheck // cut off
	}
	for range 500 {
		if out, _, _ := run(t, h, "pgrep -f 'sleep 1000' | wc -l"); strings.TrimSpace(out) >= "2" {
			break
		}
	}
	done := make(chan error, 1)
	go func() { done <- b.Halt(context.Background(), "n1") }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("halt hangs")
	}
	h.Close()
	if out, _, _ := run(t, b.up("n1"), "pgrep sleep | wc -l"); out != "0\n" {
		t.Errorf("processes after the reboot: %q", out)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
