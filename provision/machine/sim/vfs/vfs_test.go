package vfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"podium/provision/machine/sim/vfs"
)

var root = vfs.Root()

func newFS(t testing.TB) *vfs.FS {
	t.Helper()
	return vfs.New(time.Now)
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// TestLikeTheRealFilesystem carries out the same calls here and on the computer's own filesystem: results and errors
// are the same.
func TestLikeTheRealFilesystem(t *testing.T) {
	if os.Getuid() < 0 {
		t.Skip("skipped: needs a Unix filesystem")
	}
	const tree = "mkdir a; mkdir a/b; write a/f 5; symlink f a/l; symlink b a/d; symlink nowhere a/dangling; symlink loop a/loop; symlink .. a/up; "
	for _, calls := range []string{
		"stat a/f; lstat a/l; stat a/l; stat a/d; lstat a/d; stat a/dangling; lstat a/dangling; stat a/loop; stat a/up; stat a/f/; stat a/d/; stat a/f/x; stat nowhere/x; stat a/up/a/f; stat a/d/../f; stat a/./f; stat a//f",
		"mkdir a; mkdir a/f; mkdir a/x/y; mkdir a/l; mkdir a/new/; mkdir a/d/in; stat a/b/in",
		"remove a; remove a/b; remove a/f; remove a/f; remove a/l; lstat a/l; stat a/f; remove a/nowhere; remove a/d; stat a/b",
		"rename a/f a/g; stat a/g; stat a/f; rename a/b a/c; stat a/c; rename a/g a/c; rename a/c a/g; rename a a/c/in; rename a/none x; rename a/g a/g; rename a/l a/m; lstat a/m",
		"write a/h 1; rename a/f a/h; stat a/h; mkdir e; rename a/b e; stat e; mkdir e/full; mkdir s; rename s e; rename e/full s; stat s",
		"write a/l 3; stat a/f; lstat a/l; write a/dangling 2; stat a/nowhere; write a/b 1; write a/x/y 1; write a/f/x 1; append a/f 2; stat a/f; truncate a/f 1; stat a/f; truncate a/f 9; read a/f",
		"link a/f a/hard; append a/hard 1; stat a/f; remove a/f; stat a/hard; read a/hard; link a/b a/hb; link a/none a/x; link a/hard a/hard",
		"readlink a/l; readlink a/f; readlink a/none; symlink x a/l; readdir a; readdir a/f; readdir a/none; readdir a/d; readdir a/up",
		"excl a/f; excl a/new; excl a/dangling; read a/none; read a/b; read a/l",
	} {
		sim, real := newFS(t), t.TempDir()
		must(t, sim.Mkdir(root, "/t", 0o755))
		for call := range strings.SplitSeq(tree+calls, ";") {
			f := strings.Fields(call)
			want := onDisk(real, f)
			if got := inMemory(sim, "/t", f); got != want {
				t.Errorf("%s: %s: got %s, want %s", calls, call, got, want)
			}
		}
	}
}

// describe makes results of both sides comparable.
func describe(info fs.FileInfo, err error) string {
	if err != nil {
		return reason(err)
	}
	if info.Mode().IsRegular() {
		return fmt.Sprintf("file of %d", info.Size())
	}
	return info.Mode().Type().String()
}

func reason(err error) string {
	if err == nil {
		return "ok"
	}
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return strings.ToLower(err.Error())
}

func onDisk(dir string, f []string) string {
	p := dir + "/" + f[1]
	switch f[0] {
	case "stat":
		return describe(os.Stat(p))
	case "lstat":
		return describe(os.Lstat(p))
	case "mkdir":
		return reason(os.Mkdir(p, 0o755))
	case "remove":
		info, err := os.Lstat(p)
		if err == nil && info.IsDir() { // os.Remove hides which of unlink and rmdir failed
			if entries, _ := os.ReadDir(p); len(entries) > 0 {
				return "directory not empty"
			}
		}
		return reason(os.Remove(p))
	case "rename":
		return reason(syscall.Rename(p, dir+"/"+f[2])) // os.Rename refuses directories itself, before the system is asked
	case "symlink":
		return reason(os.Symlink(f[1], dir+"/"+f[2]))
	case "link":
		return reason(os.Link(p, dir+"/"+f[2]))
	case "readlink":
		to, err := os.Readlink(p)
		return to + reason(err)
	case "readdir":
		entries, err := os.ReadDir(p)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return fmt.Sprint(names, reason(err))
	case "truncate":
		return reason(os.Truncate(p, int64(f[2][0]-'0')))
	case "read":
		text, err := os.ReadFile(p)
		return fmt.Sprintf("%q %s", text, reason(err))
	}
	h, err := os.OpenFile(p, flags(f[0]), 0o644)
	if err != nil {
		return reason(err)
	}
	defer h.Close()
	_, err = io.WriteString(h, content(f))
	return reason(err)
}

func flags(call string) int {
	switch call {
	case "append":
		return os.O_WRONLY | os.O_APPEND
	case "excl":
		return os.O_WRONLY | os.O_CREATE | os.O_EXCL
	}
	return os.O_WRONLY | os.O_CREATE | os.O_TRUNC
}

func content(f []string) string {
	if len(f) < 3 {
		return ""
	}
	return strings.Repeat("x", int(f[2][0]-'0'))
}

func inMemory(v *vfs.FS, dir string, f []string) string {
	p := dir + "/" + f[1]
	switch f[0] {
	case "stat", "lstat":
		get := v.Stat
		if f[0] == "lstat" {
			get = v.Lstat
		}
		info, err := get(root, p)
		if err != nil {
			return reason(err)
		}
		return describe(info, nil)
	case "mkdir":
		return reason(v.Mkdir(root, p, 0o755))
	case "remove":
		return reason(v.Remove(root, p))
	case "rename":
		return reason(v.Rename(root, p, dir+"/"+f[2]))
	case "symlink":
		return reason(v.Symlink(root, f[1], dir+"/"+f[2]))
	case "link":
		return reason(v.Link(root, p, dir+"/"+f[2]))
	case "readlink":
		to, err := v.Readlink(root, p)
		return to + reason(err)
	case "readdir":
		entries, err := v.ReadDir(root, p)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return fmt.Sprint(names, reason(err))
	case "truncate":
		h, err := v.Open(root, p, os.O_WRONLY, 0)
		if err == nil {
			err = errors.Join(h.Truncate(int64(f[2][0]-'0')), h.Close())
		}
		return reason(err)
	case "read":
		text, err := v.ReadFile(root, p)
		return fmt.Sprintf("%q %s", text, reason(err))
	}
	h, err := v.Open(root, p, flags(f[0]), 0o644)
	if err != nil {
		return reason(err)
	}
	_, err = io.WriteString(h, content(f))
	return reason(errors.Join(err, h.Close()))
}

func TestImagesAreApart(t *testing.T) {
	base := newFS(t)
	must(t, base.MkdirAll(root, "/etc/x", 0o755), base.WriteFile(root, "/etc/f", "base", 0o644), base.WriteFile(root, "/etc/x/g", "base", 0o644))
	img := base.Flatten()
	a, b := img.Open(time.Now), img.Open(time.Now)
	must(t, a.WriteFile(root, "/etc/f", "a", 0o644), a.Remove(root, "/etc/x/g"), a.WriteFile(root, "/new", "a", 0o600), a.Rename(root, "/etc/x", "/y"))
	snapshot := a.Image()
	must(t, a.WriteFile(root, "/etc/f", "later", 0o644), a.RemoveAll(root, "/y"), a.RemoveAll(root, "/etc"))
	c := snapshot.Open(time.Now)
	for _, tt := range []struct {
		fs         *vfs.FS
		path, want string
	}{
		{b, "/etc/f", "base"}, {b, "/etc/x/g", "base"}, {b, "/new", "open /new: No such file or directory"},
		{c, "/etc/f", "a"}, {c, "/new", "a"}, {c, "/etc/x/g", "open /etc/x/g: No such file or directory"},
		{a, "/etc/f", "open /etc/f: No such file or directory"}, {a, "/new", "a"},
	} {
		text, err := tt.fs.ReadFile(root, tt.path)
		if err != nil {
			text = err.Error()
		}
		if text != tt.want {
			t.Errorf("%s: %q, want %q", tt.path, text, tt.want)
		}
	}
	must(t, c.WriteFile(root, "/etc/f", "c", 0o644))
	if text, _ := snapshot.Open(time.Now).ReadFile(root, "/etc/f"); text != "a" {
		t.Errorf("the snapshot changed: %q", text)
	}
	if info, err := c.Stat(root, "/y"); err != nil || !info.IsDir() {
		t.Errorf("renamed directory: %v, %v", info, err)
	}
}

func TestOpenFilesOutliveTheirNames(t *testing.T) {
	f := newFS(t)
	must(t, f.WriteFile(root, "/f", "text", 0o644))
	h, err := f.Open(root, "/f", os.O_RDWR, 0)
	must(t, err, f.Remove(root, "/f"))
	if _, err := io.WriteString(h, "more"); err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if err := h.Close(); err == nil {
		t.Error("closed twice")
	}
}

func TestRights(t *testing.T) {
	f := newFS(t)
	user := vfs.Cred{UID: 1000, GID: 1000, Groups: []uint32{27}, Umask: 0o022}
	must(t,
		f.Mkdir(root, "/own", 0o755), f.Chown(root, "/own", 1000, 1000, true), f.Mkdir(root, "/tmp", 0o777), f.Chmod(root, "/tmp", fs.ModeSticky|0o777),
		f.Mkdir(root, "/closed", 0o700), f.WriteFile(root, "/closed/f", "", 0o644), f.WriteFile(root, "/secret", "", 0o600), f.WriteFile(root, "/public", "", 0o644),
		f.WriteFile(root, "/group", "", 0o640), f.Chown(root, "/group", 0, 27, true), f.WriteFile(root, "/tmp/roots", "", 0o666),
	)
	for _, tt := range []struct {
		what string
		do   func() error
		want error
	}{
		{"write at the root", func() error { return f.WriteFile(user, "/x", "", 0o644) }, vfs.EACCES},
		{"write into one's own", func() error { return f.WriteFile(user, "/own/x", "", 0o644) }, nil},
		{"read a secret", func() error { _, err := f.ReadFile(user, "/secret"); return err }, vfs.EACCES},
		{"read what is public", func() error { _, err := f.ReadFile(user, "/public"); return err }, nil},
		{"write what is public", func() error { return f.WriteFile(user, "/public", "", 0o644) }, vfs.EACCES},
		{"read by group", func() error { _, err := f.ReadFile(user, "/group"); return err }, nil},
		{"write by group", func() error { return f.WriteFile(user, "/group", "", 0o644) }, vfs.EACCES},
		{"look into a closed directory", func() error { _, err := f.Stat(user, "/closed/f"); return err }, vfs.EACCES},
		{"list a closed directory", func() error { _, err := f.ReadDir(user, "/closed"); return err }, vfs.EACCES},
		{"remove another's file in /tmp", func() error { return f.Remove(user, "/tmp/roots") }, vfs.EPERM},
		{"make one's own in /tmp", func() error { return f.WriteFile(user, "/tmp/mine", "", 0o644) }, nil},
		{"remove one's own in /tmp", func() error { return f.Remove(user, "/tmp/mine") }, nil},
		{"change another's mode", func() error { return f.Chmod(user, "/public", 0o777) }, vfs.EPERM},
		{"give a file away", func() error { return f.Chown(user, "/own/x", 0, -1, true) }, vfs.EPERM},
		{"give a file to a group of one's own", func() error { return f.Chown(user, "/own/x", -1, 27, true) }, nil},
		{"run what nobody may run", func() error { return f.Access(root, "/public", 1) }, vfs.EACCES},
		{"remove the root", func() error { return f.Remove(root, "/") }, vfs.EBUSY},
	} {
		if err := tt.do(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.what, err, tt.want)
		}
	}
	if info, err := f.Stat(user, "/own/x"); err != nil || info.Mode().Perm() != 0o644 || info.UID != 1000 {
		t.Errorf("new file: %v, %v", info, err)
	}
}

func TestDiskFull(t *testing.T) {
	f := newFS(t)
	must(t, f.MountTmpfs("/run", 0o755))
	f.SetCapacity(10 * 4096)
	must(t, f.WriteFile(root, "/a", strings.Repeat("x", 5*4096), 0o644))
	if err := f.WriteFile(root, "/b", strings.Repeat("y", 6*4096), 0o644); !errors.Is(err, vfs.ENOSPC) {
		t.Errorf("more than there is room for: %v", err)
	}
	must(t, f.WriteFile(root, "/run/c", strings.Repeat("z", 100*4096), 0o644)) // memory, not disk
	h, err := f.Open(root, "/hole", os.O_WRONLY|os.O_CREATE, 0o644)
	must(t, err)
	if err := h.Truncate(6 * 4096); !errors.Is(err, vfs.ENOSPC) {
		t.Errorf("a hole that is too large: %v", err)
	}
	must(t, h.Close(), f.Remove(root, "/b"), f.Remove(root, "/a"), f.WriteFile(root, "/d", strings.Repeat("y", 9*4096), 0o644))
	if err := f.Occupy(2 * 4096); !errors.Is(err, vfs.ENOSPC) {
		t.Errorf("occupy too much: %v", err)
	}
	if used, size := f.Usage(); used != 9*4096 || size != 10*4096 {
		t.Errorf("usage %d of %d", used, size)
	}
}

func TestZerosTakeNoMemory(t *testing.T) {
	f := newFS(t)
	h, err := f.Open(root, "/big", os.O_RDWR|os.O_CREATE, 0o644)
	must(t, err)
	zeros := make([]byte, 1<<20)
	for range 1000 {
		if _, err := h.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.WriteAt([]byte("end"), 999<<20); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if n, err := h.ReadAt(b, 999<<20-1); n != 5 || err != nil || string(b) != "\x00end\x00" {
		t.Errorf("read %q, %d, %v", b, n, err)
	}
	if h.Stat().Size() != 1000<<20 {
		t.Errorf("size %d", h.Stat().Size())
	}
}

func TestTmpfsAndVirtual(t *testing.T) {
	f := newFS(t)
	must(t, f.MountTmpfs("/run", 0o755), f.MountVirtual("proc"), f.MkdirAll(root, "/run/a/b", 0o755), f.WriteFile(root, "/run/a/f", "x", 0o644), f.WriteFile(root, "/kept", "x", 0o644))
	value := "1\n"
	f.SetVirtual("proc", virtual{&value})
	if text, err := f.ReadFile(root, "/proc/sys/x"); err != nil || text != "1\n" {
		t.Errorf("read %q, %v", text, err)
	}
	h, err := f.Open(root, "/proc/sys/x", os.O_WRONLY|os.O_TRUNC, 0)
	must(t, err)
	if _, err := io.WriteString(h, "2\n"); err != nil || value != "2\n" {
		t.Errorf("write: %v, %q", err, value)
	}
	must(t, h.Close())
	if _, err := f.Open(vfs.Cred{UID: 1}, "/proc/sys/x", os.O_WRONLY, 0); !errors.Is(err, vfs.EACCES) {
		t.Errorf("write by a user: %v", err)
	}
	if err := f.WriteFile(root, "/proc/new", "", 0o644); err == nil {
		t.Error("made a file in /proc")
	}
	if err := f.Rename(root, "/run/a/f", "/moved"); !errors.Is(err, vfs.EXDEV) {
		t.Errorf("rename between disk and memory: %v", err)
	}
	f.EmptyTmpfs()
	if entries, err := f.ReadDir(root, "/run"); err != nil || len(entries) != 0 {
		t.Errorf("/run after a reboot: %v, %v", entries, err)
	}
	must(t, f.WriteFile(root, "/run/again", "x", 0o644))
	if _, err := f.Stat(root, "/kept"); err != nil {
		t.Error(err)
	}
}

type virtual struct{ value *string }

func (v virtual) Lookup(path string) (vfs.VirtualFile, bool) {
	switch path {
	case ".", "sys":
		return vfs.VirtualFile{Mode: fs.ModeDir | 0o555, Names: func() []string { return []string{"sys"} }}, true
	case "sys/x":
		return vfs.VirtualFile{Mode: 0o644, Read: func() string { return *v.value }, Write: func(s string) bool { *v.value = s; return true }}, true
	}
	return vfs.VirtualFile{}, false
}

func TestSideBySide(t *testing.T) {
	f := newFS(t)
	must(t, f.Mkdir(root, "/d", 0o755))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				p := filepath.ToSlash(fmt.Sprintf("/d/%d", (i+n)%5))
				f.WriteFile(root, p, strings.Repeat("x", n), 0o644) //nolint:errcheck // others remove it meanwhile
				f.ReadFile(root, p)                                 //nolint:errcheck
				f.ReadDir(root, "/d")                               //nolint:errcheck
				f.Rename(root, p, p+"r")                            //nolint:errcheck
				f.Remove(root, p+"r")                               //nolint:errcheck
				if n%50 == 0 {
					f.Image()
				}
			}
		})
	}
	wg.Wait()
}

// Appending to a file to which others append loses nothing of theirs.
func TestAppendSideBySide(t *testing.T) {
	f := newFS(t)
	const writers, lines = 8, 500
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range lines {
				h, err := f.Open(root, "/log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
				if err != nil {
					t.Error(err)
					return
				}
				h.Write([]byte("line\n")) //nolint:errcheck // what is lost is counted below
				must(t, h.Close())
			}
		})
	}
	wg.Wait()
	text, err := f.ReadFile(root, "/log")
	must(t, err)
	if text != strings.Repeat("line\n", writers*lines) {
		t.Errorf("%d of %d lines are there", strings.Count(text, "line\n"), writers*lines)
	}
}
