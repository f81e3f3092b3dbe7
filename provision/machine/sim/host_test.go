package sim_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/machine/sim"
	"podium/provision/remote"
)

// bench is a lab on a host in this process.
type bench struct {
	*sim.Provider
	t      testing.TB
	dialer *remote.Dialer
}

func newBench(t testing.TB, scenario string, nodes ...string) *bench {
	t.Helper()
	host := sim.NewHost(nil)
	t.Cleanup(host.Close)
	dir := t.TempDir()
	key := filepath.Join(dir, "id")
	if err := remote.GenerateKey(key); err != nil {
		t.Fatal(err)
	}
	public, err := remote.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	spec := machine.Spec{Lab: lab.Lab{Name: "t", Box: "bento/ubuntu-24.04", User: "vagrant", Network: "192.168.56.0/24"}, PublicKey: public}
	for i, name := range nodes {
		spec.Machines = append(spec.Machines, lab.Machine{
			Name: name, Address: netip.AddrFrom4([4]byte{192, 168, 56, byte(10 + i)}), CPUs: 2, Memory: 4 * lab.GiB,
		})
	}
	o := sim.Options{Lab: "t", InProcess: host}
	if scenario != "" {
		o.File = filepath.Join(dir, "sim.yaml")
		write(t, o.File, scenario)
	}
	b := &bench{Provider: sim.New(o), t: t}
	if err := b.Prepare(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	b.dialer = remote.NewDialer(remote.DialOptions{KnownHosts: filepath.Join(dir, "known_hosts"), KeyFile: key, Deadline: 20 * time.Second})
	return b
}

// up starts a node and connects to it.
func (b *bench) up(name string) remote.Host {
	b.t.Helper()
	e, err := b.Up(b.t.Context(), name)
	if err != nil {
		b.t.Fatal(err)
	}
	h, err := b.dialer.Dial(b.t.Context(), e)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { h.Close() })
	return h
}

// run runs a command line as root and returns what it wrote and its exit code.
func run(t testing.TB, h remote.Host, line string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := h.Run(ctx, remote.Command{Args: []string{"bash", "-c", line}, Sudo: true, Stdout: &stdout, Stderr: &stderr})
	var exit *remote.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", line, err)
	}
	return stdout.String(), stderr.String(), r.Code
}

func TestNodeLife(t *testing.T) {
	b := newBench(t, "", "n1")
	h := b.up("n1")
	if out, _, code := run(t, h, "hostname; id -un; echo kept >/root/kept; echo lost >/run/lost"); out != "n1\nroot\n" || code != 0 {
		t.Fatalf("got %q, code %d", out, code)
	}
	if out, errs, code := run(t, h, "nosuchcommand"); code != 127 || !strings.Contains(errs, "nosuchcommand: command not found") {
		t.Errorf("unknown command: out %q, err %q, code %d", out, errs, code)
	}
	states, err := b.Status(t.Context())
	if err != nil || states["n1"] != machine.Running {
		t.Fatalf("status %v, %v", states, err)
	}
	if err := b.Halt(t.Context(), "n1"); err != nil {
		t.Fatal(err)
	}
	if err := b.Snapshot(t.Context(), "n1", "ready"); err != nil {
		t.Fatal(err)
	}
	h = b.up("n1")
	if out, _, _ := run(t, h, "cat /root/kept; ls /run/lost"); out != "kept\n" {
		t.Errorf("after a reboot: %q", out)
	}
	run(t, h, "echo changed >/root/kept")
	if err := b.Halt(t.Context(), "n1"); err != nil {
		t.Fatal(err)
	}
	if err := b.Restore(t.Context(), "n1", "none"); !errors.Is(err, machine.ErrNoSnapshot) {
		t.Errorf("restore of a snapshot that is not there: %v", err)
	}
	if err := b.Restore(t.Context(), "n1", "ready"); err != nil {
		t.Fatal(err)
	}
	h = b.up("n1")
	if out, _, _ := run(t, h, "cat /root/kept"); out != "kept\n" {
		t.Errorf("after restore: %q", out)
	}
	if err := b.Destroy(t.Context(), "n1"); err != nil {
		t.Fatal(err)
	}
	if states, _ := b.Status(t.Context()); len(states) != 0 {
		t.Errorf("after destroy: %v", states)
	}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
