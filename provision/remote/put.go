package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/pkg/sftp"
)

// readBack is up to which size, in bytes, an uploaded file is checked by reading it again; a larger one is summed on
// the node.
const readBack = 256 << 10

// cleanup gives a ctx for removing what a copy leaves. It goes on after the caller's ctx has ended, but not for long:
// somebody may be waiting for the end.
func (c *Client) cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := 4 * c.o.Grace
	if ctx.Err() != nil {
		limit = c.o.Grace
	}
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// Put writes a file; see Host. The file appears at once and complete, or not at all: it is written under a temporary
// name beside its place, checked by SHA-256, flushed to disk, given its mode (0 means 0644) and renamed over what was
// there. A symbolic link at Path is replaced, not followed. With Sudo it is uploaded to a private place and installed
// from there as root's. A full disk is ErrNoSpace.
func (c *Client) Put(ctx context.Context, f File) error {
	if f.Mode == 0 {
		f.Mode = 0o644
	}
	if !path.IsAbs(f.Path) || strings.ContainsRune(f.Path, 0) || strings.HasSuffix(f.Path, "/") {
		return fmt.Errorf("%s: put %q: the path must be absolute and name a file", c.Name(), f.Path)
	}
	f.Path = path.Clean(f.Path)
	if f.Sudo && c.User() != "root" {
		return c.putSudo(ctx, f)
	}
	temp := tempBeside(f.Path)
	sum, err := c.upload(ctx, temp, f)
	if err == nil {
		err = c.verify(ctx, temp, sum)
	}
	if err == nil {
		err = c.files.use(ctx, func(s *transfer) error {
			if err := s.Chmod(temp, fileMode(f.Mode)); err != nil {
				return err
			}
			return rename(s.Client, temp, f.Path)
		})
	}
	if err != nil {
		c.discard(ctx, temp)
		return c.fileError("put", f.Path, err)
	}
	return nil
}

// upload writes content to a new file that only the user may read.
func (c *Client) upload(ctx context.Context, temp string, f File) (*sum, error) {
	in := &measured{ctx: ctx, from: f.Content, hash: sha256.New(), progress: f.Progress}
	err := c.files.use(ctx, func(s *transfer) error {
		file, err := s.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("folder %s: %w", path.Dir(temp), fs.ErrNotExist)
		}
		if err != nil {
			return err
		}
		defer file.Close()
		if err := file.Chmod(0o600); err != nil {
			return err
		}
		if _, err = file.ReadFromWithConcurrency(in, concurrency(f.Size)); err != nil {
			return full(s.Client, path.Dir(temp), f.Size-in.count(), err)
		}
		if _, ok := s.HasExtension("fsync@openssh.com"); ok {
			if err := file.Sync(); err != nil {
				return full(s.Client, path.Dir(temp), 0, err)
			}
		}
		return file.Close()
	})
	in.shut()
	if err == nil && f.Size >= 0 && in.count() != f.Size {
		err = fmt.Errorf("content has %d bytes, %d were announced", in.count(), f.Size)
	}
	return &sum{size: in.count(), hex: hex.EncodeToString(in.hash.Sum(nil))}, err
}

// sum is what a file must hold.
type sum struct {
	size int64
	hex  string // SHA-256
}

// concurrency is how many packets of 32 KiB are under way at once for a file of a size; -1 is unknown.
func concurrency(size int64) int {
	if size >= 0 && size < 64*32<<10 {
		return int(size/(32<<10)) + 1
	}
	return 64
}

// verify compares a file on the node with what was sent.
func (c *Client) verify(ctx context.Context, name string, want *sum) error {
	got := ""
	if want.size > readBack {
		result, err := c.Run(ctx, Command{Args: []string{"sha256sum", "--", name}})
		var exit *ExitError
		if err != nil && !errors.As(err, &exit) {
			return err
		}
		got = firstField(result.Stdout)
	}
	if len(got) != len(want.hex) { // small, or no such command there
		h := sha256.New()
		if err := c.read(ctx, name, h); err != nil {
			return err
		}
		got = hex.EncodeToString(h.Sum(nil))
	}
	if got != want.hex {
		return fmt.Errorf("%w: SHA-256 is %s, sent was %s", ErrChecksum, got, want.hex)
	}
	return nil
}

// firstField is sha256sum's sum; it stands behind a backslash where the file's name needed quoting.
func firstField(line []byte) string {
	field, _, _ := bytes.Cut(line, []byte(" "))
	return strings.TrimPrefix(string(field), `\`)
}

// rename replaces what is at name; OpenSSH has an extension for that, since SFTP 3 refuses to.
func rename(s *sftp.Client, temp, name string) error {
	if there, err := s.Lstat(name); err == nil && there.IsDir() {
		return errors.New("there is a folder by this name")
	}
	if _, ok := s.HasExtension("posix-rename@openssh.com"); ok {
		return s.PosixRename(temp, name)
	}
	if err := s.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.Rename(temp, name)
}

// discard removes the leftover of a failed copy, also when the caller's ctx has ended.
func (c *Client) discard(ctx context.Context, name string) {
	if c.lost() != nil {
		return
	}
	ctx, cancel := c.cleanup(ctx)
	defer cancel()
	err := c.files.use(ctx, func(s *transfer) error {
		if err := s.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		c.log.Debug("leftover of a failed copy stays", "node", c.Name(), "path", name, "error", err)
	}
}

// full explains a failed write if the disk is full: SFTP 3 has no word for it and answers just "failure".
func full(s *sftp.Client, dir string, need int64, err error) error {
	disk, statErr := s.StatVFS(dir)
	if statErr != nil {
		return err
	}
	free := int64(disk.Bavail * disk.Frsize)
	if free > max(need, 64<<10) {
		return err
	}
	return fmt.Errorf("%w in %s: %d KiB are free: %w", ErrNoSpace, dir, free>>10, err)
}

// tempBeside is an unlikely name in the same folder, so that a rename stays within one file system.
func tempBeside(name string) string {
	dir, base := path.Split(name)
	if len(base) > 200 { // names have at most 255 bytes
		base = base[:200]
	}
	return dir + "." + base + ".podium-" + random()
}

// random gives 16 hexadecimal digits.
func random() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, crypto/rand
	return hex.EncodeToString(b[:])
}

// fileMode turns permission bits of Unix into Go's.
func fileMode(bits uint32) fs.FileMode {
	mode := fs.FileMode(bits & 0o777)
	if bits&0o4000 != 0 {
		mode |= fs.ModeSetuid
	}
	if bits&0o2000 != 0 {
		mode |= fs.ModeSetgid
	}
	if bits&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// measured counts and sums what is read, and stops with ctx.
type measured struct {
	ctx      context.Context
	mu       sync.Mutex // held while the caller's reader is used
	from     io.Reader
	hash     hash.Hash
	n        int64
	progress func(int64)
	closed   bool
}

func (m *measured) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ctx.Err(); err != nil || m.closed {
		return 0, errors.Join(err, errShut)
	}
	n, err := m.from.Read(p)
	m.hash.Write(p[:n])
	m.n += int64(n)
	if n > 0 && m.progress != nil {
		m.progress(m.n)
	}
	return n, err
}

var errShut = errors.New("given up")

// shut keeps the caller's reader from being used any more.
func (m *measured) shut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
}

func (m *measured) count() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}
