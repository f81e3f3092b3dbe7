package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

func put(name, text string) remote.File {
	return remote.File{Path: name, Mode: 0o640, Content: strings.NewReader(text), Size: int64(len(text))}
}

func TestPut(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	c := s.Dial("w1")
	for _, sudo := range []bool{false, true} {
		for _, text := range []string{"first", strings.Repeat("large ", 100_000), ""} {
			f := put("/etc file", text)
			f.Sudo = sudo
			if err := c.Put(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(s.Root(), "etc file"))
			info, _ := os.Stat(filepath.Join(s.Root(), "etc file"))
			if err != nil || string(got) != text || info.Mode().Perm() != 0o640 && runtime.GOOS != "windows" {
				t.Errorf("sudo %t: %d of %d bytes, mode %v, %v", sudo, len(got), len(text), info.Mode(), err)
			}
		}
	}
	names, _ := filepath.Glob(filepath.Join(s.Root(), "*", "*"))
	hidden, _ := filepath.Glob(filepath.Join(s.Root(), ".*"))
	if len(names)+len(hidden) > 0 {
		t.Errorf("left behind: %v %v", names, hidden)
	}
	var sudos int
	for _, line := range s.Commands() {
		if strings.HasPrefix(line, "sudo -n -- sh -c ") && strings.Contains(line, " podium-install ") && strings.Contains(line, " '/etc file' ") {
			sudos++
		}
	}
	if sudos != 3 {
		t.Errorf("commands: %q", s.Commands())
	}
}

// failing is a reader that breaks in the middle.
type failing struct{ n int }

func (f *failing) Read(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("disk on fire")
	}
	return len(p), nil
}

func TestPutFails(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	tests := map[string]struct {
		file  remote.File
		space int64
		is    error
		want  string
	}{
		"no folder":      {file: put("/none/file", "x"), is: fs.ErrNotExist, want: "w1: put /none/file: folder /none: "},
		"relative":       {file: put("file", "x"), want: "must be absolute"},
		"folder":         {file: put("/there", "x"), want: "there is a folder by this name"},
		"sudo, folder":   {file: remote.File{Path: "/there", Content: strings.NewReader("x"), Size: 1, Sudo: true}, want: "there is a folder by this name"},
		"full":           {file: put("/file", big), space: 300 << 10, is: remote.ErrNoSpace, want: "w1: put /file: no space left in /"},
		"broken content": {file: remote.File{Path: "/file", Content: &failing{n: 100_000}, Size: -1}, want: "disk on fire"},
		"short content":  {file: remote.File{Path: "/file", Content: strings.NewReader("x"), Size: 2}, want: "content has 1 bytes, 2 were announced"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := remotetest.New(t, remotetest.Options{Space: test.space})
			if err := os.Mkdir(filepath.Join(s.Root(), "there"), 0o755); err != nil {
				t.Fatal(err)
			}
			err := s.Dial("w1").Put(t.Context(), test.file)
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error: %v", err)
			}
			left, _ := os.ReadDir(s.Root())
			temp, _ := os.ReadDir(filepath.Join(s.Root(), "tmp"))
			if len(left) != 2 || len(temp) != 0 {
				t.Errorf("left behind: %v %v", left, temp)
			}
		})
	}
}

func TestPutDisconnected(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	c := s.Dial("w1")
	if err := c.Put(t.Context(), put("/old", "old")); err != nil {
		t.Fatal(err)
	}
	content := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), readerFunc(func([]byte) (int, error) {
		s.Drop()
		<-c.Lost()
		return 0, io.EOF
	}))
	err := c.Put(t.Context(), remote.File{Path: "/old", Content: content, Size: -1})
	if !errors.Is(err, remote.ErrDisconnected) || remote.Classify(err) != remote.Retry {
		t.Errorf("error: %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(s.Root(), "old")); string(got) != "old" {
		t.Errorf("a half file replaced the old one: %.20q", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestPutCancelled(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	c := s.Dial("w1")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	endless := readerFunc(func(p []byte) (int, error) { return len(p), nil })
	err := c.Put(ctx, remote.File{Path: "/file", Content: endless, Size: -1, Progress: func(sent int64) {
		if sent > 1<<20 {
			cancel(cause)
		}
	}})
	if !errors.Is(err, cause) {
		t.Errorf("error: %v", err)
	}
	if left, _ := os.ReadDir(s.Root()); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := c.Put(t.Context(), put("/file", "x")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestPutNoSFTP(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	s.NoSFTP(true)
	c := s.Dial("w1")
	if err := c.Put(t.Context(), put("/file", "x")); !errors.Is(err, remote.ErrNoSFTP) {
		t.Errorf("error: %v", err)
	}
	s.NoSFTP(false)
	if err := c.Put(t.Context(), put("/file", "x")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestPutDamaged(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{Plain: true, Handler: func(_ context.Context, e *remotetest.Exec) int {
		if strings.HasPrefix(e.Command, "sudo") {
			return 66
		}
		_, _ = fmt.Fprintln(e.Stdout, strings.Repeat("0", 64)+"  /file")
		return 0
	}})
	c := s.Dial("w1")
	for _, sudo := range []bool{false, true} {
		f := put("/file", strings.Repeat("x", 1<<20))
		f.Sudo = sudo
		if err := c.Put(t.Context(), f); !errors.Is(err, remote.ErrChecksum) || remote.Classify(err) != remote.Retry {
			t.Errorf("sudo %t: %v", sudo, err)
		}
	}
	if left, _ := os.ReadDir(s.Root()); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPutNoSumCommand(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{Plain: true, Handler: func(_ context.Context, e *remotetest.Exec) int {
		_, _ = fmt.Fprintln(e.Stderr, "sh: sha256sum: not found")
		return 127
	}})
	if err := s.Dial("w1").Put(t.Context(), put("/file", strings.Repeat("x", 1<<20))); err != nil {
		t.Errorf("error: %v", err)
	}
}

func TestGet(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	c := s.Dial("w1")
	text := strings.Repeat("0123456789", 1<<20)
	if err := os.WriteFile(filepath.Join(s.Root(), "file"), []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := c.Get(t.Context(), "/file", &got); err != nil || got.String() != text {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	if err := c.Get(t.Context(), "/none", &got); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "w1: get /none: ") {
		t.Errorf("missing: %v", err)
	}
	if err := c.Get(t.Context(), "/", &got); err == nil {
		t.Error("a folder was read")
	}
	broken := errors.New("broken")
	if err := c.Get(t.Context(), "/file", writerFunc(func([]byte) (int, error) { return 0, broken })); !errors.Is(err, broken) {
		t.Errorf("broken writer: %v", err)
	}
	local := filepath.Join(t.TempDir(), "local")
	if err := c.GetFile(t.Context(), "/file", local, nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(local)
	if err != nil || info.Size() != int64(len(text)) || info.Mode().Perm() != 0o640 && runtime.GOOS != "windows" {
		t.Errorf("local: %v, %v", info, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
