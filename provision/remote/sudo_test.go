//go:build !windows

package remote_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// TestSSHDSudo uses the sudo of this machine, so it needs an ordinary user who may do so without a password.
func TestSSHDSudo(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("skipped: needs an ordinary user, and root runs it")
	}
	if exec.Command("sudo", "-n", "true").Run() != nil {
		t.Skip("skipped: needs sudo without a password: apt-get install sudo, and a line in /etc/sudoers.d")
	}
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"), remote.DialOptions{Grace: 500 * time.Millisecond})
	sudo := func(args ...string) string {
		t.Helper()
		got, err := c.Run(t.Context(), remote.Command{Args: args, Sudo: true})
		if err != nil {
			t.Fatal(err)
		}
		return string(got.Stdout)
	}
	if got := sudo("id", "-u"); got != "0\n" {
		t.Errorf("id: %q", got)
	}
	if got, err := c.Run(t.Context(), remote.Command{Shell: "id -u | cat", Sudo: true}); err != nil || string(got.Stdout) != "0\n" {
		t.Errorf("shell: %q, %v", got.Stdout, err)
	}

	dir := strings.TrimSpace(sudo("mktemp", "-d"))
	defer sudo("rm", "-rf", dir)
	sudo("chmod", "755", dir)
	file := put(filepath.Join(dir, "it's a file"), "text")
	file.Sudo, file.Mode = true, 0o644
	for range 2 {
		file.Content = strings.NewReader("text")
		if err := c.Put(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(file.Path)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 || info.Mode().Perm() != 0o644 {
		t.Errorf("put: %v, %v", info, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := c.Put(t.Context(), put(filepath.Join(dir, "mine"), "text")); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "for user "+c.User()) {
		t.Errorf("put without sudo: %v", err)
	}
	top := makeTree(t)
	if err := c.PutDir(t.Context(), top, filepath.Join(dir, "new", "tree"), remote.TreeOptions{Sudo: true}); err != nil {
		t.Errorf("folder: %v", err)
	}
	if got := sudo("find", dir, "!", "-user", "root"); got != "" {
		t.Errorf("not root's: %s", got)
	}
	sudo("chown", "-hR", c.User(), dir)
	if diff := cmp.Diff(describe(t, top), describe(t, filepath.Join(dir, "new", "tree"))); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
	if left, _ := filepath.Glob("/var/tmp/podium-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	for name, command := range map[string]remote.Command{
		"obeys TERM":   {Shell: "echo $$ > PID; exec sleep 1000", Sudo: true},
		"ignores TERM": {Shell: "trap '' TERM; echo $$ > PID; while :; do sleep 0.1; done", Sudo: true},
		"in a pipe":    {Shell: "sleep 1000 | cat & echo $! > PID; wait", Sudo: true},
	} {
		t.Run(name, func(t *testing.T) {
			pid := filepath.Join(t.TempDir(), "pid")
			command.Shell = strings.ReplaceAll(command.Shell, "PID", pid)
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error, 1)
			go func() {
				_, err := c.Run(ctx, command)
				result <- err
			}()
			eventually(t, "command starts", func() bool { return exists(pid) })
			cancel()
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Errorf("error: %v", err)
			}
			eventually(t, "command ends", func() bool { return !alive(t, pid) })
		})
	}
}
