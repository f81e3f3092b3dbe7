//go:build !windows

package remote_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// makeTree writes a folder with all that makes folders hard to copy.
func makeTree(t *testing.T) string {
	t.Helper()
	top := filepath.Join(t.TempDir(), "tree")
	removable(t, top)
	for _, dir := range []string{"empty", "한글 폴더/with space", "read-only"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]fs.FileMode{"plain": 0o644, "script.sh": 0o755, "secret": 0o600, "한글 폴더/with space/it's \"a\" file": 0o640,
		"read-only/file": 0o444, "none": 0o644, ".hidden": 0o644}
	for name, mode := range files {
		text := strings.Repeat(name, 1000)
		if name == "none" {
			text = ""
		}
		if name == "plain" {
			text = strings.Repeat(name, 200_000) // large enough to be summed on the node
		}
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(top, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		if err := os.WriteFile(filepath.Join(top, "empty", "..", fmt.Sprintf("n%d", i)), []byte{byte(i)}, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link": "plain", "dangling": "nowhere/at all", "absolute": "/etc/hostname", "한글 폴더/up": "../plain", "dirlink": "empty"} {
		if err := os.Symlink(to, filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]fs.FileMode{"read-only": 0o555, "empty": 0o700} {
		if err := os.Chmod(filepath.Join(top, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// removable makes a test's folder one that the test may remove when it has ended.
func removable(t *testing.T, top string) {
	t.Cleanup(func() {
		_ = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				_ = os.Chmod(name, 0o755)
			}
			return nil
		})
	})
}

// describe tells all of a folder that must be kept.
func describe(t *testing.T, top string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(top, name)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(name)
			all[rel] = "link to " + to
			return err
		case info.Mode().IsRegular():
			data, err := os.ReadFile(name)
			all[rel] = fmt.Sprintf("%v %x", info.Mode(), sum(data))
			return err
		}
		all[rel] = info.Mode().String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func testTree(t *testing.T, c *remote.Client, root string) {
	top := makeTree(t)
	want := describe(t, top)
	remoteDir := "/srv/a b/한글"
	var done, total atomic.Int64
	o := remote.TreeOptions{Progress: func(d, t int64) { done.Store(max(done.Load(), d)); total.Store(t) }}
	for range 2 { // also onto what is there already
		if err := c.PutDir(t.Context(), top, root+remoteDir, o); err != nil {
			t.Fatal(err)
		}
	}
	if done.Load() == 0 || done.Load() != total.Load() {
		t.Errorf("progress ended at %d of %d", done.Load(), total.Load())
	}
	back := filepath.Join(t.TempDir(), "new", "back")
	removable(t, back)
	for range 2 {
		if err := c.GetDir(t.Context(), root+remoteDir, back, remote.TreeOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, describe(t, back)); diff != "" {
		t.Errorf("there and back (-want +got):\n%s", diff)
	}
}

func TestTree(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	removable(t, s.Root())
	testTree(t, s.Dial("w1"), "")
}

func TestSSHDTree(t *testing.T) {
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"), remote.DialOptions{})
	dir := t.TempDir()
	removable(t, dir)
	testTree(t, c, dir)
}

func TestTreeFails(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	c := s.Dial("w1")
	top := t.TempDir()
	if err := os.WriteFile(filepath.Join(top, "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.PutDir(t.Context(), filepath.Join(top, "none"), "/x", remote.TreeOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if err := c.PutDir(t.Context(), filepath.Join(top, "a"), "/x", remote.TreeOptions{}); err == nil || !strings.Contains(err.Error(), "not a folder") {
		t.Errorf("a file: %v", err)
	}
	if err := c.GetDir(t.Context(), "/none", filepath.Join(top, "got"), remote.TreeOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder there: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(s.Root(), "in/a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.PutDir(t.Context(), top, "/in", remote.TreeOptions{}); err == nil || !strings.Contains(err.Error(), "there is a folder by this name") {
		t.Errorf("file onto folder: %v", err)
	}
	l, err := net.Listen("unix", filepath.Join(top, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := c.PutDir(t.Context(), top, "/y", remote.TreeOptions{}); err == nil || !strings.Contains(err.Error(), "s is a socket") {
		t.Errorf("socket: %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Root(), "y")); err == nil {
		t.Error("something was copied before the folder was checked")
	}
}

// TestGetDirStaysInside: a link that lies in the target folder must not lead a copy out of it.
func TestGetDirStaysInside(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	if err := os.MkdirAll(filepath.Join(s.Root(), "from/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Root(), "from/sub/file"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	outside, local := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(local, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := s.Dial("w1").GetDir(t.Context(), "/from", local, remote.TreeOptions{}); err == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}
