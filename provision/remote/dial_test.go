package remote_test

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

func TestDialWaitsForSSHD(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	s.Refuse(3)
	c, err := remote.NewDialer(remote.DialOptions{}).Dial(t.Context(), s.Endpoint("w1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// TestDialImpatient: a node that is not waited for gets another chance only if it hangs up.
func TestDialImpatient(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	s.Refuse(3)
	d := remote.NewDialer(remote.DialOptions{Deadline: -1})
	if err := visit(t.Context(), d, s.Endpoint("w1")); err != nil {
		t.Errorf("hung up three times: %v", err)
	}
	s.Refuse(100)
	err := visit(t.Context(), d, s.Endpoint("w1"))
	if !errors.Is(err, remote.ErrUnreachable) || !strings.Contains(err.Error(), "(5 tries)") || !strings.Contains(err.Error(), "MaxStartups") {
		t.Errorf("always hangs up: %v", err)
	}
}

// TestDialSlowLogin: a node that has said a word is heard out: its login succeeds, or is refused, at the first try.
func TestDialSlowLogin(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	s.SlowLogin(300 * time.Millisecond)
	d := remote.NewDialer(remote.DialOptions{})
	d.SetFirstTry(50 * time.Millisecond)
	if err := visit(t.Context(), d, s.Endpoint("w1")); err != nil {
		t.Errorf("a slow login: %v", err)
	}
	for range 10_000 { // the server counts a login after the client has heard of it
		if s.Logins() > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if s.Logins() != 1 {
		t.Errorf("%d logins, want 1", s.Logins())
	}
	s.Deny(true)
	start := time.Now()
	err := visit(t.Context(), d, s.Endpoint("w1"))
	if took := time.Since(start); !errors.Is(err, remote.ErrAuth) || took > 20*time.Second {
		t.Errorf("a refused login: %v after %v, want ErrAuth without another try", err, took)
	}
}

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) remote.Endpoint {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return remote.Endpoint{Node: "w1", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "podium"}
}

func TestDialGivesUp(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts by its backlog and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	tests := map[string]struct {
		endpoint remote.Endpoint
		deadline time.Duration
		want     string
	}{
		"refused": {closedPort(t), 300 * time.Millisecond, "nothing listens on that port"},
		"one try": {closedPort(t), -1, "1 try"},
		"silent":  {remote.Endpoint{Node: "w1", Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port}, 300 * time.Millisecond, "is the machine on"},
		"no name": {remote.Endpoint{Node: "w1", Host: "no..such.host"}, -1, "host name is not known"},
	}
	for name, test := range tests {
		_, err := remote.NewDialer(remote.DialOptions{Deadline: test.deadline}).Dial(t.Context(), test.endpoint)
		var unreachable *remote.UnreachableError
		if !errors.Is(err, remote.ErrUnreachable) || !errors.As(err, &unreachable) || remote.Classify(err) != remote.Retry {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "w1: no SSH answer from ") || unreachable.Tries < 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A name that does not exist comes up with no boot: nobody waits the whole time for it.
func TestDialGivesUpOnANameThatDoesNotExist(t *testing.T) {
	_, err := remote.NewDialer(remote.DialOptions{}).Dial(t.Context(), remote.Endpoint{Node: "w1", Host: "no..such.host"}) // not even asked for
	unreachable, ok := errors.AsType[*remote.UnreachableError](err)
	if !ok || unreachable.Tries > 5 || !strings.Contains(err.Error(), "host name is not known") {
		t.Errorf("got %v", err)
	}
}

func TestDialCancelled(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	_, err := remote.NewDialer(remote.DialOptions{}).Dial(ctx, closedPort(t))
	if !errors.Is(err, cause) || remote.Classify(err) != remote.Never {
		t.Errorf("error: %v", err)
	}
}

func TestDialRefusedLogin(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	other := filepath.Join(t.TempDir(), "other")
	if err := remote.GenerateKey(other); err != nil {
		t.Fatal(err)
	}
	_, private, _ := ed25519.GenerateKey(nil)
	locked := lockedKey(t, private)
	_, missing := os.Stat(other + ".none")
	socket, noAgent := "", "SSH_AUTH_SOCK is not set"
	if runtime.GOOS == "windows" { // which has an agent where the variable is not set
		socket, noAgent = `\\.\pipe\podium-no-agent`, "podium-no-agent"
	}
	t.Setenv("SSH_AUTH_SOCK", socket)
	tests := map[string]struct {
		key   string
		user  string
		agent bool
		want  string
	}{
		"wrong key":  {key: other, want: "for user podium with key " + other},
		"wrong user": {user: "nobody", want: "for user nobody with key " + s.KeyFile()},
		"missing":    {key: other + ".none", want: errors.Unwrap(missing).Error()},
		"passphrase": {key: locked, want: "run ssh-add " + locked},
		"no agent":   {key: "-", agent: true, want: noAgent},
	}
	for name, test := range tests {
		e := s.Endpoint("w1")
		if test.key != "" {
			e.KeyFile = strings.TrimPrefix(test.key, "-")
		}
		if test.user != "" {
			e.User = test.user
		}
		_, err := remote.NewDialer(remote.DialOptions{Agent: test.agent}).Dial(t.Context(), e)
		if !errors.Is(err, remote.ErrAuth) || remote.Classify(err) != remote.Auth || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDialRefusedWhileBooting(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	s.Refuse(1)
	s.Deny(true)
	time.AfterFunc(time.Second, func() { s.Deny(false) })
	c, err := remote.NewDialer(remote.DialOptions{}).Dial(t.Context(), s.Endpoint("w1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// serveAgent runs an SSH agent with the given keys.
func serveAgent(t *testing.T, keys ...any) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: k}); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { defer c.Close(); _ = agent.ServeAgent(ring, c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); work.Wait(); _ = os.RemoveAll(dir) })
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
}

func readKey(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testAgent(t *testing.T, e remote.Endpoint) {
	right := readKey(t, e.KeyFile)
	var wrong []any
	for range 9 {
		_, k, _ := ed25519.GenerateKey(nil)
		wrong = append(wrong, k)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(right, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(t.TempDir(), "locked")
	if err := os.WriteFile(locked, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "own")
	if err := remote.GenerateKey(own); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		keys []any
		file string // of the endpoint
		own  string // of the lab
		fail string
	}{
		"only":                {keys: []any{right}},
		"after the lab's own": {keys: []any{wrong[0], right}, own: own},
		"own key not there":   {keys: []any{right}, own: own + ".none"},
		"too many":            {keys: append(append([]any{}, wrong...), right), fail: "the agent holds 10 keys"},
		"opens the locked":    {keys: append(append([]any{}, wrong...), right), file: locked},
		"empty":               {fail: "agent is empty"},
		"not for a file":      {keys: []any{right}, file: own, fail: "with key " + own},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			serveAgent(t, test.keys...)
			e.KeyFile = test.file
			c, err := remote.NewDialer(remote.DialOptions{Agent: true, KeyFile: test.own}).Dial(t.Context(), e)
			if err == nil {
				_ = c.Close()
			}
			if (err != nil) != (test.fail != "") || err != nil && (!errors.Is(err, remote.ErrAuth) || !strings.Contains(err.Error(), test.fail)) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestAgent(t *testing.T) { testAgent(t, remotetest.New(t, remotetest.Options{}).Endpoint("w1")) }

func TestJump(t *testing.T) {
	outer, inner, node := remotetest.New(t, remotetest.Options{}), remotetest.New(t, remotetest.Options{}), remotetest.New(t, remotetest.Options{Handler: echo})
	e, second, first := node.Endpoint("w1"), inner.Endpoint("inner"), outer.Endpoint("outer")
	second.Jump, e.Jump = &first, &second
	file := filepath.Join(t.TempDir(), "known_hosts")
	d := remote.NewDialer(remote.DialOptions{KnownHosts: file, Deadline: 10 * time.Second})
	names := make([]string, 20)
	for i := range names {
		names[i] = fmt.Sprintf("w%d", i)
	}
	clients := remote.Each(t.Context(), names, 0, func(ctx context.Context, name string) (*remote.Client, error) {
		e := e
		e.Node = name
		return d.Connect(ctx, e)
	})
	for _, o := range clients {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		got, err := o.Value.Run(t.Context(), remote.Command{Shell: "x"})
		if err != nil || string(got.Stdout) != "ran x\n" {
			t.Errorf("%s: %q, %v", o.Name, got.Stdout, err)
		}
	}
	if n := outer.Logins() + inner.Logins(); n != 2 {
		t.Errorf("%d connections to jump hosts for 20 nodes, want 1 to each", n)
	}
	outer.Drop()
	<-clients[0].Value.Lost()
	if _, err := clients[0].Value.Run(t.Context(), remote.Command{Shell: "x"}); !errors.Is(err, remote.ErrDisconnected) {
		t.Errorf("jump host lost: %v", err)
	}
	for _, o := range clients {
		_ = o.Value.Close()
	}
	again, err := d.Dial(t.Context(), e)
	if err != nil {
		t.Fatalf("after the jump host was lost: %v", err)
	}
	_ = again.Close()
	known, _ := os.ReadFile(file)
	if n := strings.Count(string(known), "\n"); n != 22 {
		t.Errorf("%d keys pinned, want those of 20 nodes and 2 jump hosts", n)
	}

	outer.SwapHostKey()
	if _, err := d.Dial(t.Context(), e); !errors.Is(err, remote.ErrHostKey) || !strings.Contains(err.Error(), "outer") {
		t.Errorf("jump host with another key: %v", err)
	}
}
