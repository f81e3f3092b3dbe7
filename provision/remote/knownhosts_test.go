package remote_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// visit connects and closes again.
func visit(ctx context.Context, d *remote.Dialer, e remote.Endpoint) error {
	h, err := d.Dial(ctx, e)
	if err != nil {
		return err
	}
	return h.Close()
}

func fingerprintOf(t *testing.T, line string) string {
	t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return ssh.FingerprintSHA256(key)
}

func TestHostKeyPinned(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	file := filepath.Join(t.TempDir(), "new", "known_hosts")
	d := remote.NewDialer(remote.DialOptions{KnownHosts: file})
	e := s.Endpoint("w1")
	if err := visit(t.Context(), d, e); err != nil {
		t.Fatal(err)
	}
	first := s.HostKey()
	if data, err := os.ReadFile(file); err != nil || string(data) != "w1 "+first {
		t.Fatalf("pinned %q, %v", data, err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v", info.Mode())
	}
	s.SwapHostKey()
	for name, d := range map[string]*remote.Dialer{"same": d, "later": remote.NewDialer(remote.DialOptions{KnownHosts: file})} {
		err := visit(t.Context(), d, e)
		var changed *remote.HostKeyError
		if !errors.As(err, &changed) || !errors.Is(err, remote.ErrHostKey) || remote.Classify(err) != remote.Never {
			t.Fatalf("%s: %v", name, err)
		}
		for _, part := range []string{"w1:", fingerprintOf(t, first), fingerprintOf(t, s.HostKey()), "line 1 of " + file} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q lacks %q", name, err, part)
			}
		}
	}
	other := e
	other.Node = "w2" // another node at the same address has a key of its own
	if err := visit(t.Context(), d, other); err != nil {
		t.Errorf("other node: %v", err)
	}
	if err := d.Forget(t.Context(), "w1"); err != nil {
		t.Fatal(err)
	}
	if err := visit(t.Context(), d, e); err != nil {
		t.Errorf("forgotten: %v", err)
	}
	if data, _ := os.ReadFile(file); string(data) != "w2 "+s.HostKey()+"w1 "+s.HostKey() {
		t.Errorf("file after all: %q", data)
	}
}

func TestHostKeyInMemory(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	d := remote.NewDialer(remote.DialOptions{})
	if err := visit(t.Context(), d, s.Endpoint("w1")); err != nil {
		t.Fatal(err)
	}
	s.SwapHostKey()
	if err := visit(t.Context(), d, s.Endpoint("w1")); !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("swapped: %v", err)
	}
	if err := d.Forget(t.Context(), "w1"); err != nil {
		t.Fatal(err)
	}
	if err := visit(t.Context(), d, s.Endpoint("w1")); err != nil {
		t.Errorf("forgotten: %v", err)
	}
}

func TestHostKeyGiven(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	file := filepath.Join(t.TempDir(), "known_hosts")
	d := remote.NewDialer(remote.DialOptions{KnownHosts: file})
	e := s.Endpoint("w1")
	e.HostKeys = []string{s.HostKey()}
	if err := visit(t.Context(), d, e); err != nil {
		t.Fatal(err)
	}
	given := s.HostKey()
	s.SwapHostKey()
	err := visit(t.Context(), d, e)
	if !errors.Is(err, remote.ErrHostKey) || !strings.Contains(err.Error(), fingerprintOf(t, given)) || !strings.Contains(err.Error(), fingerprintOf(t, s.HostKey())) {
		t.Errorf("first contact with another key: %v", err)
	}
	e.HostKeys = []string{"garbage"}
	if err := visit(t.Context(), d, e); !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("garbage: %v", err)
	}
}

func TestHostKeyFile(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	key := strings.TrimSpace(s.HostKey())
	tests := map[string]struct {
		before, after, fail string
	}{
		"comments kept":     {"# mine\n\nw9 " + key + " comment\n", "# mine\n\nw9 " + key + " comment\nw1 " + key + "\n", ""},
		"several names":     {"w1,w9 " + key + "\r\n", "w1,w9 " + key + "\r\n", ""},
		"one of two keys":   {"w1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS\nw1 " + key + "\n", "", ""},
		"no final line end": {"w9 " + key, "w9 " + key + "\nw1 " + key + "\n", ""},
		"broken line":       {"w9 " + key + "\nw1 ssh-ed25519 AAAA", "", ":2: "},
		"marker":            {"@revoked w1 " + key + "\n", "", ":1: marker @revoked"},
	}
	for name, test := range tests {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(test.before), 0o600); err != nil {
			t.Fatal(err)
		}
		err := visit(t.Context(), remote.NewDialer(remote.DialOptions{KnownHosts: file}), s.Endpoint("w1"))
		if (err != nil) != (test.fail != "") || err != nil && !strings.Contains(err.Error(), file+test.fail) {
			t.Errorf("%s: %v", name, err)
		}
		if data, _ := os.ReadFile(file); test.after != "" && string(data) != test.after {
			t.Errorf("%s: %q", name, data)
		}
	}
}

func TestForgetKeepsOthers(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	key := strings.TrimSpace(s.HostKey())
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte("# top\nw1,w9 "+key+"\nw1 "+key+"\nw8 "+key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := remote.NewDialer(remote.DialOptions{KnownHosts: file}).Forget(t.Context(), "w1"); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(file); string(data) != "# top\nw9 "+key+"\nw8 "+key+"\n" {
		t.Errorf("left: %q", data)
	}
	none := filepath.Join(t.TempDir(), "known_hosts")
	if err := remote.NewDialer(remote.DialOptions{KnownHosts: none}).Forget(t.Context(), "w1"); err != nil {
		t.Errorf("no file: %v", err)
	}
}

// TestHostKeyManyAtOnce lets many goroutines of several processes, this test started again, meet a hundred nodes for
// the first time.
func TestHostKeyManyAtOnce(t *testing.T) {
	const nodes, processes = 100, 3
	meet := func(file string, e remote.Endpoint) {
		d := remote.NewDialer(remote.DialOptions{KnownHosts: file})
		var work sync.WaitGroup
		for i := range nodes {
			work.Go(func() {
				e := e
				e.Node = fmt.Sprintf("w%d", i)
				if err := visit(t.Context(), d, e); err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
	}
	if where := os.Getenv("REMOTE_TEST_MEET"); where != "" {
		p := strings.Split(where, "|")
		e := remote.Endpoint{Host: "127.0.0.1", User: "podium", KeyFile: p[1]}
		_, _ = fmt.Sscan(p[2], &e.Port)
		meet(p[0], e)
		return
	}
	s := remotetest.New(t, remotetest.Options{})
	file := filepath.Join(t.TempDir(), "known_hosts")
	var work sync.WaitGroup
	for range processes {
		work.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostKeyManyAtOnce$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("REMOTE_TEST_MEET=%s|%s|%d", file, s.KeyFile(), s.Endpoint("").Port))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	work.Wait()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	slices.Sort(lines)
	if len(slices.Compact(lines)) != nodes || strings.Count(string(data), "\n") != nodes {
		t.Errorf("%d lines, want one for each of %d nodes", strings.Count(string(data), "\n"), nodes)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".known_hosts*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A line that podium does not understand as it is meant must not let it pin whatever key comes.
func TestKnownHostsNotPlain(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	for name, want := range map[string]string{
		"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=": "2: the name is hashed (ssh-keygen -H): remove or correct this line",
		"w*":      `2: "w*" is a pattern`,
		"!w2,w?":  `2: "!w2" is a pattern`,
		"w1,n[1]": "",
	} {
		file := filepath.Join(t.TempDir(), "known_hosts")
		text := "# pinned\n" + name + " " + s.HostKey()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := visit(t.Context(), remote.NewDialer(remote.DialOptions{KnownHosts: file}), s.Endpoint("w1"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if after, _ := os.ReadFile(file); string(after) != text {
			t.Errorf("%s: the file is now %q", name, after)
		}
	}
}
