package remote_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// invented is an entry of a folder that is nowhere.
type invented struct {
	name string
	mode fs.FileMode
}

func (i invented) Name() string       { return i.name }
func (i invented) Size() int64        { return 1 }
func (i invented) Mode() fs.FileMode  { return i.mode }
func (i invented) ModTime() time.Time { return time.Time{} }
func (i invented) IsDir() bool        { return i.mode.IsDir() }
func (i invented) Sys() any           { return nil }

// listing gives entry n of a folder; it never ends where count is 0.
type listing struct {
	count int64
	entry func(n int64) invented
}

func (l listing) ListAt(to []os.FileInfo, from int64) (int, error) {
	for i := range to {
		if l.count > 0 && from+int64(i) >= l.count {
			return i, io.EOF
		}
		to[i] = l.entry(from + int64(i))
	}
	return len(to), nil
}

// A node that lists without end must not fill this computer's memory.
func TestGetDirEndless(t *testing.T) {
	for name, test := range map[string]struct {
		listing listing
		want    string
	}{
		"names": {listing{0, func(n int64) invented { return invented{fmt.Sprintf("%0200d", n), 0o644} }}, "more names than podium takes"},
		"depth": {listing{1, func(int64) invented { return invented{strings.Repeat("d", 100), fs.ModeDir | 0o755} }}, "the path is longer than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := remotetest.New(t, remotetest.Options{List: func(string) sftp.ListerAt { return test.listing }})
			c := s.Dial("w1")
			target := filepath.Join(t.TempDir(), "copy")
			err := c.GetDir(t.Context(), "/", target, remote.TreeOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("something was written: %v", err)
			}
			if _, err := c.Stat(t.Context(), "/"); err != nil {
				t.Errorf("the connection is of no use any more: %v", err)
			}
		})
	}
}
