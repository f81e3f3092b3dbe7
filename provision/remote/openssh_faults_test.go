//go:build !windows

package remote_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

func TestSSHDSwappedHostKey(t *testing.T) {
	s := remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	file := filepath.Join(t.TempDir(), "known_hosts")
	d := remote.NewDialer(remote.DialOptions{KnownHosts: file})
	if err := visit(t.Context(), d, s.Endpoint("w1")); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	s.SwapHostKey()
	s.Start()
	err := visit(t.Context(), d, s.Endpoint("w1"))
	if !errors.Is(err, remote.ErrHostKey) || strings.Count(err.Error(), "SHA256:") != 2 || !strings.Contains(err.Error(), "line 1 of "+file) {
		t.Errorf("error: %v", err)
	}
}

// TestSSHDOtherKeyType: a server that shows a key of another type than the pinned one is another server, but one
// that has several keys shows the pinned one.
func TestSSHDOtherKeyType(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known_hosts")
	d := remote.NewDialer(remote.DialOptions{KnownHosts: file})
	rsa := remotetest.OpenSSH(t, remotetest.SSHDOptions{HostKeyTypes: []string{"rsa"}})
	both := remotetest.OpenSSH(t, remotetest.SSHDOptions{HostKeyTypes: []string{"rsa", "ed25519", "ecdsa"}})
	if err := visit(t.Context(), d, rsa.Endpoint("w1")); err != nil {
		t.Fatal(err)
	}
	if err := visit(t.Context(), d, both.Endpoint("w2")); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(file); !strings.Contains(string(data), "w1 ssh-rsa ") || !strings.Contains(string(data), "w2 ssh-ed25519 ") {
		t.Errorf("pinned: %s", data)
	}
	err := visit(t.Context(), d, both.Endpoint("w1"))
	if !errors.Is(err, remote.ErrHostKey) || !strings.Contains(err.Error(), "ssh-rsa SHA256:") {
		t.Errorf("other server, same type: %v", err)
	}
	err = visit(t.Context(), d, rsa.Endpoint("w2"))
	if !errors.Is(err, remote.ErrHostKey) || !strings.Contains(err.Error(), "shows ssh-rsa SHA256:") {
		t.Errorf("other server, other type: %v", err)
	}
	e := both.Endpoint("w3") // known from elsewhere by its least preferred key
	for _, key := range both.HostKeys() {
		if strings.HasPrefix(key, "ssh-rsa ") {
			e.HostKeys = []string{key}
		}
	}
	if err := visit(t.Context(), d, e); err != nil {
		t.Errorf("given key: %v", err)
	}
}

func TestSSHDWrongKey(t *testing.T) {
	s := remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	e := s.Endpoint("w1")
	e.KeyFile = filepath.Join(t.TempDir(), "other")
	if err := remote.GenerateKey(e.KeyFile); err != nil {
		t.Fatal(err)
	}
	err := visit(t.Context(), remote.NewDialer(remote.DialOptions{}), e)
	if !errors.Is(err, remote.ErrAuth) || !strings.Contains(err.Error(), e.KeyFile) {
		t.Errorf("error: %v", err)
	}
}

func TestSSHDAgent(t *testing.T) {
	testAgent(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"))
}

func TestSSHDTooManyTries(t *testing.T) {
	s := remotetest.OpenSSH(t, remotetest.SSHDOptions{Config: []string{"MaxAuthTries 1"}})
	serveAgent(t, readKey(t, s.KeyFile()))
	own := filepath.Join(t.TempDir(), "own")
	if err := remote.GenerateKey(own); err != nil {
		t.Fatal(err)
	}
	e := s.Endpoint("w1")
	e.KeyFile = ""
	err := visit(t.Context(), remote.NewDialer(remote.DialOptions{Agent: true, KeyFile: own}), e)
	if !errors.Is(err, remote.ErrAuth) || !strings.Contains(err.Error(), "too many keys") {
		t.Errorf("error: %v", err)
	}
}

func TestSSHDJump(t *testing.T) {
	gate, node := remotetest.OpenSSH(t, remotetest.SSHDOptions{}), remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	e, via := node.Endpoint("w1"), gate.Endpoint("gate")
	e.Jump = &via
	c := connect(t, e, remote.DialOptions{})
	if got, err := c.Run(t.Context(), remote.Command{Shell: "echo $SSH_CLIENT"}); err != nil || !strings.HasPrefix(string(got.Stdout), "127.0.0.1 ") {
		t.Errorf("run: %q, %v", got.Stdout, err)
	}
	dead := closedPort(t)
	dead.Jump = &via
	_, err := remote.NewDialer(remote.DialOptions{Deadline: -1}).Dial(t.Context(), dead)
	if !errors.Is(err, remote.ErrUnreachable) || !strings.Contains(err.Error(), "through jump host gate") {
		t.Errorf("nobody behind the jump host: %v", err)
	}
}

func needsProc(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("skipped: needs /proc to find the processes of sshd")
	}
}

func TestSSHDKeepalive(t *testing.T) {
	needsProc(t)
	s := remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	never := filepath.Join(t.TempDir(), "never")
	const keepalive = 500 * time.Millisecond
	c := connect(t, s.Endpoint("w1"), remote.DialOptions{Keepalive: keepalive})
	if _, err := c.Run(t.Context(), remote.Command{Args: []string{"sleep", "2"}}); err != nil {
		t.Fatalf("a quiet but living node: %v", err)
	}
	s.Freeze()
	defer s.Thaw()
	results := remote.Each(t.Context(), []string{"run", "put", "get"}, 0, func(ctx context.Context, what string) (string, error) {
		switch what {
		case "put":
			return "", c.Put(ctx, put(never, "x"))
		case "get":
			return "", c.Get(ctx, "/etc/hostname", os.Stderr)
		}
		_, err := c.Run(ctx, remote.Command{Args: []string{"true"}})
		return "", err
	})
	for _, r := range results {
		if !errors.Is(r.Err, remote.ErrDisconnected) || remote.Classify(r.Err) != remote.Retry || !strings.Contains(r.Err.Error(), "no answer for") {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
	if _, err := c.Run(t.Context(), remote.Command{Args: []string{"true"}}); !errors.Is(err, remote.ErrDisconnected) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestSSHDFrozenCancel: the end of ctx must not wait for a node that does not answer.
func TestSSHDFrozenCancel(t *testing.T) {
	needsProc(t)
	s := remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	c := connect(t, s.Endpoint("w1"), remote.DialOptions{Keepalive: -1, Grace: 100 * time.Millisecond})
	if _, err := c.Stat(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	defer s.Thaw()
	never := filepath.Join(t.TempDir(), "never")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	enough := errors.New("enough")
	time.AfterFunc(200*time.Millisecond, func() { cancel(enough) })
	results := remote.Each(ctx, []string{"run", "put"}, 0, func(ctx context.Context, what string) (string, error) {
		if what == "put" {
			return "", c.Put(ctx, put(never, "x"))
		}
		_, err := c.Run(ctx, remote.Command{Args: []string{"true"}})
		return "", err
	})
	for _, r := range results {
		if !errors.Is(r.Err, enough) {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
}

func TestSSHDServerKilled(t *testing.T) {
	needsProc(t)
	s := remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	c := connect(t, s.Endpoint("w1"), remote.DialOptions{})
	pid := filepath.Join(t.TempDir(), "pid")
	started := make(chan struct{})
	lines := remote.Lines(func(string) { close(started) })
	go func() {
		<-started
		s.KillServer()
	}()
	_, err := c.Run(t.Context(), remote.Command{Shell: "echo $$ > " + pid + "; echo started; exec sleep 1000", Stdout: lines})
	if !errors.Is(err, remote.ErrDisconnected) || remote.Classify(err) != remote.Retry {
		t.Errorf("error: %v", err)
	}
	text, err := os.ReadFile(pid) // nobody ends the command of a lost connection
	if err != nil {
		t.Fatal(err)
	}
	left, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(left, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestSSHDNoSessions(t *testing.T) {
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{Config: []string{"MaxSessions 0"}}).Endpoint("w1"), remote.DialOptions{})
	if _, err := c.Run(t.Context(), remote.Command{Args: []string{"true"}}); !errors.Is(err, remote.ErrSessions) || remote.Classify(err) != remote.Never {
		t.Errorf("error: %v", err)
	}
}

func TestSSHDDiskFull(t *testing.T) {
	dir := smallDisk(t)
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"), remote.DialOptions{})
	for _, size := range []int{200 << 10, 8 << 20} {
		err := c.Put(t.Context(), put(filepath.Join(dir, "file"), strings.Repeat("x", size)))
		if (size > 1<<20) != (err != nil) || err != nil && !errors.Is(err, remote.ErrNoSpace) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "file")); err != nil || info.Size() != 200<<10 {
		t.Errorf("the old file: %v, %v", info, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
