//go:build !windows

package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// realNode is a real sshd as the only machine of a lab; the guest scripts keep their things in a folder of the test.
type realNode struct {
	sshd *remotetest.SSHD
	home string
	port int // another way to the sshd; 0: straight
	*fakeLab
}

func newRealNode(t *testing.T) *realNode {
	t.Helper()
	t.Parallel() // these tests wait, mostly
	for _, need := range []struct{ command, from string }{{"bash", "bash"}, {"flock", "util-linux"}, {"timeout", "coreutils"}} {
		if _, err := exec.LookPath(need.command); err != nil {
			t.Skipf("skipped: needs %s: apt-get install %s", need.command, need.from)
		}
	}
	home := t.TempDir()
	return &realNode{sshd: remotetest.OpenSSH(t, remotetest.SSHDOptions{Config: []string{nodeEnv(home)}}), home: home, fakeLab: newFakeLab()}
}

// Up says that the sshd is the machine.
func (r *realNode) Up(ctx context.Context, name string) (remote.Endpoint, error) {
	if _, err := r.fakeLab.Up(ctx, name); err != nil {
		return remote.Endpoint{}, err
	}
	at := r.sshd.Endpoint(name)
	at.Port = cmp.Or(r.port, at.Port)
	return at, nil
}

// engine is an engine with a real dialer.
func (r *realNode) engine(t *testing.T, p plan.Plan) (*Engine, *recorder) {
	t.Helper()
	e, events := newEngine(t, p, r.fakeLab)
	e.Provider, e.AskTimeout = r, 20*time.Second
	e.Dialer = remote.NewDialer(remote.DialOptions{
		KnownHosts: filepath.Join(t.TempDir(), "known_hosts"), KeyFile: r.sshd.KeyFile(), Grace: 2 * time.Second,
	})
	return e, events
}

// oneStep is a plan of one node with one step.
func oneStep(script string) plan.Plan {
	p := drawPlan("n1/work")
	task(p, "n1/work").Script.Text = "#!/bin/bash\nset -euo pipefail\n" + script + "\n"
	return p
}

func (r *realNode) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.home, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// gone fails the test unless the process in the file pid, the leader of the step's script, and its children end soon.
func (r *realNode) gone(t *testing.T) {
	t.Helper()
	pid := strings.TrimSpace(r.read(t, "pid"))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out, _ := exec.Command("pgrep", "-P", pid).Output()
		id, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(id, 0); errors.Is(err, syscall.ESRCH) && len(out) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %s or its children %q are still there", pid, out)
		}
	}
}

// await waits until a file of the node has some text.
func (r *realNode) await(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(r.home, name)); err == nil && bytes.HasSuffix(text, []byte("\n")) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was not written", name)
		}
	}
}

// line is a way to a port that can be cut.
type line struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	work  sync.WaitGroup
}

func newLine(t *testing.T, to int) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{Listener: listener}
	l.work.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			on, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(to)))
			if err != nil {
				_ = from.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, from, on)
			l.mu.Unlock()
			l.work.Go(func() { _, _ = io.Copy(from, on); _ = from.Close() })
			l.work.Go(func() { _, _ = io.Copy(on, from); _ = on.Close() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		l.cut()
		l.work.Wait()
	})
	return l
}

func (l *line) port() int { return l.Addr().(*net.TCPAddr).Port }

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// nodeEnv is the line of sshd_config by which the guest scripts keep their things in a folder of the test. The login
// shell finds no start-up files there, whatever the user who runs the test has.
func nodeEnv(home string) string { return "SetEnv PODIUM_HOME=" + home + " HOME=" + home }
