package incus

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/remote"
)

// real gives a provider that works on a real Incus, for a lab of its own that is gone after the test.
func real(t *testing.T, text string) (*Provider, machine.Spec) {
	t.Helper()
	if os.Getenv("PODIUM_E2E_NETNS") == "" {
		t.Skip("skipped: needs a real incus: sudo scripts/e2e/nodes.sh with go test ./provision/machine/incus/")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "lab.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := lab.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(folder, "id")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, l, folder)
	t.Cleanup(func() {
		p := open(t, l, folder)
		nodes, err := p.Status(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for name := range nodes {
			if err := p.Destroy(context.Background(), name); err != nil {
				t.Error(err)
			}
		}
		if err := p.Cleanup(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p, machine.Spec{Lab: l, Machines: lab.Machines(l), PublicKey: strings.TrimSpace(string(public))}
}

// open makes a provider as a new run of podium would.
func open(t *testing.T, l lab.Lab, folder string) *Provider {
	t.Helper()
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: testWriter{t}, DisableTime: true})
	p, err := New(Options{Lab: l.Name, Dir: filepath.Join(folder, ".podium", "incus"), Folder: folder, Incus: l.Incus, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

const realLab = `name: n-real
provider: incus
network: 10.91.7.0/24
nodes:
  - {name: a, roles: [docker], cpus: 1, memory: 512MiB}
incus: {image: debian-12}
`

func TestRealLife(t *testing.T) {
	p, spec := real(t, realLab)
	ctx := context.Background()
	if err := p.Prepare(ctx, spec); err != nil {
		t.Fatal(err)
	}
	first, err := p.Up(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if len(first.HostKeys) == 0 || first.Host != "10.91.7.10" || first.User != spec.Lab.User {
		t.Fatalf("endpoint %+v", first)
	}
	canLogIn(t, p, first)

	again := open(t, spec.Lab, spec.Lab.Dir)
	if err := again.Prepare(ctx, spec); err != nil {
		t.Fatal(err)
	}
	second, err := again.Up(ctx, "a")
	if err != nil || strings.Join(second.HostKeys, "\n") != strings.Join(first.HostKeys, "\n") {
		t.Fatalf("second up: %+v, %v", second, err)
	}
	for _, step := range []struct {
		name string
		do   func() error
		want machine.State
	}{
		{"halt", func() error { return again.Halt(ctx, "a") }, machine.Stopped},
		{"halt again", func() error { return again.Halt(ctx, "a") }, machine.Stopped},
		{"snapshot", func() error { return again.Snapshot(ctx, "a", "ready") }, machine.Stopped},
		{"snapshot again", func() error { return again.Snapshot(ctx, "a", "ready") }, machine.Stopped},
		{"up", func() error { _, err := again.Up(ctx, "a"); return err }, machine.Running},
		{"change", func() error { _, err := again.client.shell(ctx, "n-real-a", "touch /changed"); return err }, machine.Running},
		{"halt before restore", func() error { return again.Halt(ctx, "a") }, machine.Stopped},
		{"restore", func() error { return again.Restore(ctx, "a", "ready") }, machine.Stopped},
		{"up after restore", func() error { _, err := again.Up(ctx, "a"); return err }, machine.Running},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if states, err := open(t, spec.Lab, spec.Lab.Dir).Status(ctx); err != nil || states["a"] != step.want {
			t.Fatalf("%s: status %v, %v", step.name, states, err)
		}
	}
	if _, err := again.client.shell(ctx, "n-real-a", "test ! -e /changed"); err != nil {
		t.Errorf("a file made after the snapshot is still there: %v", err)
	}
	if err := again.Restore(ctx, "a", "none"); !errors.Is(err, machine.ErrNoSnapshot) {
		t.Errorf("restore of a missing snapshot: %v", err)
	}
	if err := again.DeleteSnapshot(ctx, "a", "none"); err != nil {
		t.Errorf("deleting a missing snapshot: %v", err)
	}
	if err := again.DeleteSnapshot(ctx, "a", "ready"); err != nil {
		t.Error(err)
	}

	lost := open(t, spec.Lab, spec.Lab.Dir) // without local state
	if err := os.RemoveAll(filepath.Join(spec.Lab.Dir, ".podium")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := lost.Destroy(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		if err := lost.Cleanup(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// A podium that is killed leaves its script running in the node, and the next podium runs it too: the account is made
// once, and whole.
func TestRealAdmitsAtOnce(t *testing.T) {
	p, spec := real(t, realLab)
	ctx := context.Background()
	if err := p.Prepare(ctx, spec); err != nil {
		t.Fatal(err)
	}
	e, err := p.Up(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	i, _, err := p.find(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := p.client.shell(ctx, "n-real-a", "userdel --force --remove "+e.User); err != nil {
			t.Fatal(err)
		}
		said := make(chan error)
		for range 3 {
			go func() {
				_, err := p.shellWhenUp(ctx, i, "a", e.User, spec.PublicKey)
				said <- err
			}()
		}
		for range 3 {
			if err := <-said; err != nil {
				t.Fatal(err)
			}
		}
		canLogIn(t, p, e)
	}
}

// canLogIn waits for the node's sshd and runs a command with the lab's key and the host keys of the endpoint only.
func canLogIn(t *testing.T, p *Provider, e remote.Endpoint) {
	t.Helper()
	known := filepath.Join(t.TempDir(), "known_hosts")
	var b strings.Builder
	for _, key := range e.HostKeys {
		b.WriteString(e.Host + " " + key + "\n")
	}
	if err := os.WriteFile(known, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var out []byte
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		out, err = exec.Command("ssh", "-F", "none", "-i", filepath.Join(p.spec.Lab.Dir, "id"), "-o", "BatchMode=yes",
			"-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+known, e.User+"@"+e.Host, "sudo -n hostname").CombinedOutput()
		if err == nil {
			break
		}
	}
	if err != nil || strings.TrimSpace(string(out)) != e.Node {
		t.Fatalf("ssh: %v: %s", err, out)
	}
}
