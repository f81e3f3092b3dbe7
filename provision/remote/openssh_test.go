//go:build !windows

package remote_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// connect dials a real sshd with a Dialer of its own.
func connect(t *testing.T, e remote.Endpoint, o remote.DialOptions) *remote.Client {
	t.Helper()
	c, err := remote.NewDialer(o).Connect(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestSSHDRun(t *testing.T) {
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"), remote.DialOptions{})
	tests := map[string]struct {
		cmd            remote.Command
		stdout, stderr string
		code           int
		signal         string
	}{
		"args":         {cmd: remote.Command{Args: []string{"printf", "%s|", "", "a b", "it's", "$HOME", "*", "한글", "a\nb", `\`}}, stdout: "|a b|it's|$HOME|*|한글|a\nb|\\|"},
		"shell":        {cmd: remote.Command{Shell: "echo out; echo err >&2; exit 7"}, stdout: "out\n", stderr: "err\n", code: 7},
		"not found":    {cmd: remote.Command{Args: []string{"no-such-command-here"}}, stderr: "not found", code: 127},
		"stdin":        {cmd: remote.Command{Args: []string{"cat"}, Stdin: strings.NewReader("given")}, stdout: "given"},
		"no stdin":     {cmd: remote.Command{Args: []string{"cat"}}},
		"own signal":   {cmd: remote.Command{Shell: "kill -KILL $$"}, code: 137, signal: "KILL"},
		"binary":       {cmd: remote.Command{Shell: `printf '\000\377'`}, stdout: "\x00\xff"},
		"large tail":   {cmd: remote.Command{Shell: "head -c 1000000 /dev/zero; printf end"}, stdout: strings.Repeat("\x00", 64<<10-3) + "end"},
		"background":   {cmd: remote.Command{Shell: "sleep 60 & echo started"}, stdout: "started\n"},
		"empty output": {cmd: remote.Command{Args: []string{"true"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Run(t.Context(), test.cmd)
			var exit *remote.ExitError
			if errors.As(err, &exit) != (test.code != 0) || err != nil && exit == nil {
				t.Fatalf("error: %v", err)
			}
			if got.Code != test.code || exit != nil && (exit.Code != test.code || exit.Signal != test.signal) {
				t.Errorf("code %d, %+v; want %d", got.Code, exit, test.code)
			}
			if string(got.Stdout) != test.stdout || !strings.Contains(string(got.Stderr), test.stderr) {
				t.Errorf("stdout %.80q, stderr %.80q", got.Stdout, got.Stderr)
			}
		})
	}
}

// alive tells whether the process whose number stands in file still runs.
func alive(t *testing.T, file string) bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(data), &pid); err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ") // proc(5): a zombie has ended
}

// eventually waits for a condition that must come true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func exists(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Size() > 0
}

func TestSSHDCancelKills(t *testing.T) {
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"), remote.DialOptions{Grace: 300 * time.Millisecond})
	tests := map[string]remote.Command{
		"obeys TERM":   {Shell: "echo $$ > PID; exec sleep 1000"},
		"child":        {Shell: "sleep 1000 & echo $! > PID; wait"},
		"ignores TERM": {Shell: "trap '' TERM; echo $$ > PID; while :; do sleep 0.1; done"},
		"reads stdin":  {Shell: "echo $$ > PID; exec cat", Lifeline: true},
		"chatty":       {Shell: "echo $$ > PID; exec yes", Stdout: io.Discard},
	}
	for name, cmd := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pid := filepath.Join(t.TempDir(), "pid")
			cmd.Shell = strings.ReplaceAll(cmd.Shell, "PID", pid)
			ctx, cancel := context.WithCancelCause(t.Context())
			result := make(chan error, 1)
			go func() {
				_, err := c.Run(ctx, cmd)
				result <- err
			}()
			eventually(t, "command starts", func() bool { return exists(pid) })
			cause := errors.New("enough")
			cancel(cause)
			if err := <-result; !errors.Is(err, cause) || remote.Classify(err) != remote.Never {
				t.Errorf("error: %v", err)
			}
			eventually(t, "command ends", func() bool { return !alive(t, pid) })
		})
	}
	if _, err := c.Run(t.Context(), remote.Command{Args: []string{"true"}}); err != nil {
		t.Errorf("connection after cancelled commands: %v", err)
	}
}

func TestSSHDLifeline(t *testing.T) {
	s := remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	c := connect(t, s.Endpoint("w1"), remote.DialOptions{})
	dir := t.TempDir()
	start := func(name string, ctx context.Context) chan error {
		result := make(chan error, 1)
		go func() {
			// Reads what it was sent, then waits for the end of file, which means that nobody waits for it.
			_, err := c.Run(ctx, remote.Command{Stdin: strings.NewReader("0123456789"), Lifeline: true, Shell: fmt.Sprintf(
				"head -c 10 > %[1]s.sent; trap '' TERM; cat > /dev/null; echo eof > %[1]s.eof; exit 0", filepath.Join(dir, name))})
			result <- err
		}()
		eventually(t, "input arrives", func() bool { return exists(filepath.Join(dir, name+".sent")) })
		return result
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := start("cancelled", ctx)
	if exists(filepath.Join(dir, "cancelled.eof")) {
		t.Error("end of file came while the command was waited for")
	}
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if !exists(filepath.Join(dir, "cancelled.eof")) {
		t.Error("the command saw no end of file")
	}

	result = start("closed", t.Context())
	_ = c.Close()
	if err := <-result; !errors.Is(err, remote.ErrDisconnected) {
		t.Errorf("closed: %v", err)
	}
	eventually(t, "end of file", func() bool { return exists(filepath.Join(dir, "closed.eof")) })
}

func TestSSHDManySessions(t *testing.T) {
	for _, max := range []int{10, 3, 1} {
		t.Run(fmt.Sprint(max), func(t *testing.T) {
			c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{MaxSessions: max}).Endpoint("w1"), remote.DialOptions{})
			dir := t.TempDir()
			var work sync.WaitGroup
			for i := range 50 {
				work.Go(func() {
					want := fmt.Sprintln(i)
					got, err := c.Run(t.Context(), remote.Command{Shell: fmt.Sprintf("sleep 0.02; echo %d", i)})
					if err != nil || string(got.Stdout) != want {
						t.Errorf("%d: %q, %v", i, got.Stdout, err)
					}
					if i%10 != 0 {
						return
					}
					file := filepath.Join(dir, fmt.Sprint(i))
					if err := c.Put(t.Context(), remote.File{Path: file, Mode: 0o600, Content: strings.NewReader(want), Size: -1}); err != nil {
						t.Errorf("put %d: %v", i, err)
					}
				})
			}
			work.Wait()
		})
	}
}

func TestSSHDPutGet(t *testing.T) {
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"), remote.DialOptions{})
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16*7) // 21 MiB
	dir := t.TempDir()
	tests := map[string]remote.File{
		"empty":                      {Mode: 0o644},
		"small":                      {Mode: 0o755, Content: strings.NewReader("small")},
		"한글 이름 'quoted' $x\nnewline": {Mode: 0o600, Content: strings.NewReader("small")},
		"large":                      {Mode: 0o4750, Content: bytes.NewReader(large)},
		strings.Repeat("n", 255):     {Mode: 0o600, Content: strings.NewReader("long name")},
	}
	for name, f := range tests {
		var want []byte
		if f.Content == nil {
			f.Content = strings.NewReader("")
		}
		want, _ = io.ReadAll(f.Content)
		_, _ = f.Content.(io.Seeker).Seek(0, io.SeekStart)
		f.Path, f.Size = filepath.Join(dir, name), int64(len(want))
		sent := int64(0)
		f.Progress = func(n int64) { sent = n }
		if err := c.Put(t.Context(), f); err != nil {
			t.Errorf("put %.20q: %v", name, err)
			continue
		}
		info, err := os.Stat(f.Path)
		if err != nil {
			t.Errorf("put %.20q: %v", name, err)
			continue
		}
		mode := uint32(info.Mode().Perm())
		if info.Mode()&os.ModeSetuid != 0 {
			mode |= 0o4000
		}
		if mode != f.Mode || sent != f.Size {
			t.Errorf("%.20q: mode %o, sent %d of %d", name, mode, sent, f.Size)
		}
		h := sha256.New()
		if err := c.Get(t.Context(), f.Path, h); err != nil || !bytes.Equal(h.Sum(nil), sum(want)) {
			t.Errorf("get %.20q: %v", name, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(tests) {
		t.Errorf("leftovers: %v, %v", entries, err)
	}
}

func sum(data []byte) []byte {
	s := sha256.Sum256(data)
	return s[:]
}
