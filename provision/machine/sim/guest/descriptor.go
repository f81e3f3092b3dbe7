package guest

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"podium/provision/machine/sim/vfs"
)

// description is an open file that several descriptors of several processes may share.
type description struct {
	File
	path string
	ino  uint64
	refs atomic.Int32
}

func (p *Process) fd(n int) *description {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < 0 || n >= len(p.files) {
		return nil
	}
	return p.files[n]
}

// setFD puts d, whose reference the process takes over, at descriptor n.
func (p *Process) setFD(n int, d *description) {
	if d != nil && d.refs.Load() == 0 {
		d.refs.Store(1)
	}
	p.mu.Lock()
	for len(p.files) <= n {
		p.files = append(p.files, nil)
	}
	old := p.files[n]
	p.files[n] = d
	p.mu.Unlock()
	p.Kernel.release(old)
}

func (k *Kernel) release(d *description) {
	if d == nil {
		return
	}
	if d.refs.Add(-1) == 0 {
		k.unlock(d)
		d.Close()
	}
}

func (p *Process) closeAll() {
	p.mu.Lock()
	files := p.files
	p.files = nil
	p.mu.Unlock()
	for _, d := range files {
		p.Kernel.release(d)
	}
}

// SetFile puts a file at a descriptor; the process closes it.
func (p *Process) SetFile(fd int, f File) { p.setFD(fd, &description{File: f}) }

// HasFD reports whether a descriptor is open.
func (p *Process) HasFD(fd int) bool { return p.fd(fd) != nil }

// CloseFD closes a descriptor.
func (p *Process) CloseFD(fd int) {
	if p.fd(fd) != nil {
		p.setFD(fd, nil)
	}
}

// DupFD makes descriptor to the same as from; false if from is not open.
func (p *Process) DupFD(from, to int) bool {
	d := p.fd(from)
	if d == nil {
		return false
	}
	if from == to {
		return true
	}
	d.refs.Add(1)
	p.setFD(to, d)
	return true
}

// FreeFD is the lowest free descriptor from min on.
func (p *Process) FreeFD(min int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for fd := min; ; fd++ {
		if fd >= len(p.files) || p.files[fd] == nil {
			return fd
		}
	}
}

// OpenFD opens a file at a descriptor.
func (p *Process) OpenFD(fd int, name string, flag int) error {
	d, err := p.open(name, flag, 0o666)
	if err != nil {
		return err
	}
	p.setFD(fd, d)
	return nil
}

// Open opens a file or device for the program's own use; the caller closes it.
func (p *Process) Open(name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	d, err := p.open(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &openFile{p, d}, nil
}

type openFile struct {
	p *Process
	d *description
}

func (o *openFile) Read(b []byte) (int, error)  { return o.d.Read(o.p.ctx, b) }
func (o *openFile) Write(b []byte) (int, error) { return o.d.Write(o.p.ctx, b) }
func (o *openFile) Close() error {
	o.p.Kernel.release(o.d)
	return nil
}

func (p *Process) open(name string, flag int, perm os.FileMode) (*description, error) {
	path := vfs.Clean(p.Dir, name)
	if strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/self/fd/") {
		if d, ok, err := p.device(path); ok {
			return d, err
		}
	}
	f, err := p.FS().Open(p.Cred, p.Path(name), flag, perm)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: errors.Unwrap(err)}
	}
	d := &description{File: diskFile{f}, path: f.Path(), ino: f.Ino()}
	d.refs.Store(1)
	return d, nil
}

// device opens what has no content on disk.
func (p *Process) device(path string) (*description, bool, error) {
	file := func(f File) (*description, bool, error) {
		d := &description{File: f, path: path}
		d.refs.Store(1)
		return d, true, nil
	}
	switch path {
	case "/dev/null":
		return file(Null{})
	case "/dev/zero", "/dev/random", "/dev/urandom":
		return file(zero{})
	case "/dev/full":
		return file(zero{full: true})
	case "/dev/stdin":
		path = "/dev/fd/0"
	case "/dev/stdout":
		path = "/dev/fd/1"
	case "/dev/stderr":
		path = "/dev/fd/2"
	case "/dev/tty":
		if p.tty {
			path = "/dev/fd/0"
		} else {
			return nil, true, &os.PathError{Op: "open", Path: path, Err: vfs.Errno("No such device or address")}
		}
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if n, ok := number(strings.TrimPrefix(path, dir)); ok && strings.HasPrefix(path, dir) {
			d := p.fd(n)
			if d == nil {
				return nil, true, &os.PathError{Op: "open", Path: path, Err: vfs.ENOENT}
			}
			d.refs.Add(1)
			return d, true, nil
		}
	}
	return nil, false, nil
}

// SaveFD remembers a descriptor. One of the functions it returns has to be called: restore puts the descriptor back as
// it was, forget lets go of what it was, so that the one who reads the other end can see the end.
func (p *Process) SaveFD(fd int) (restore, forget func()) {
	d := p.fd(fd)
	if d == nil {
		return func() { p.CloseFD(fd) }, func() {}
	}
	d.refs.Add(1)
	return func() { p.setFD(fd, d) }, func() { p.Kernel.release(d) }
}

// ReadFD reads a descriptor until ctx ends.
func (p *Process) ReadFD(ctx context.Context, fd int, b []byte) (int, error) {
	d := p.fd(fd)
	if d == nil {
		return 0, vfs.EBADF
	}
	return d.Read(ctx, b)
}
