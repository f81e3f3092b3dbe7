package guest

import (
	"context"
	"io"
	"sync"

	"podium/provision/machine/sim/vfs"
)

// File is what a descriptor stands for. Read and Write end with ctx.
type File interface {
	Read(ctx context.Context, b []byte) (int, error)
	Write(ctx context.Context, b []byte) (int, error)
	Close() error
}

// EPIPE is returned for writing where nobody reads any more.
const EPIPE vfs.Errno = "Broken pipe"

// pipeRoom is how much a pipe holds, as on Linux.
const pipeRoom = 64 << 10

// Pipe returns the two ends of a pipe.
func Pipe() (r, w File) {
	p := &pipe{changed: make(chan struct{})}
	return pipeReader{p}, pipeWriter{p}
}

type pipe struct {
	mu       sync.Mutex
	buf      []byte
	noReader bool
	noWriter bool
	changed  chan struct{} // closed and replaced whenever something changes
	waiting  bool
}

// wake must be called with the lock held.
func (p *pipe) wake() {
	if p.waiting {
		close(p.changed)
		p.changed = make(chan struct{})
		p.waiting = false
	}
}

// wait releases the lock until something changes.
func (p *pipe) wait(ctx context.Context) error {
	p.waiting = true
	ch := p.changed
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type pipeReader struct{ p *pipe }

func (r pipeReader) Read(ctx context.Context, b []byte) (int, error) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 {
		if p.noWriter {
			return 0, io.EOF
		}
		if err := p.wait(ctx); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.buf)
	p.buf = p.buf[n:]
	if len(p.buf) == 0 {
		p.buf = nil
	}
	p.wake()
	return n, nil
}

func (r pipeReader) Write(context.Context, []byte) (int, error) { return 0, vfs.EBADF }

func (r pipeReader) Close() error {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.p.noReader = true
	r.p.wake()
	return nil
}

type pipeWriter struct{ p *pipe }

func (w pipeWriter) Read(context.Context, []byte) (int, error) { return 0, vfs.EBADF }

func (w pipeWriter) Write(ctx context.Context, b []byte) (int, error) {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	done := 0
	for {
		if p.noReader {
			return done, EPIPE
		}
		if room := pipeRoom - len(p.buf); room > 0 {
			n := min(room, len(b))
			p.buf = append(p.buf, b[:n]...)
			b = b[n:]
			done += n
			p.wake()
		}
		if len(b) == 0 {
			return done, nil
		}
		if err := p.wait(ctx); err != nil {
			return done, err
		}
	}
}

func (w pipeWriter) Close() error {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	w.p.noWriter = true
	w.p.wake()
	return nil
}

// Null is /dev/null.
type Null struct{}

// Read is at the end of the file.
func (Null) Read(context.Context, []byte) (int, error) { return 0, io.EOF }

// Write takes everything.
func (Null) Write(_ context.Context, b []byte) (int, error) { return len(b), nil }

// Close does nothing.
func (Null) Close() error { return nil }

// Stream is a File over an io.Reader and an io.Writer, either of which may be nil. Reads do not end with ctx unless
// the reader ends by itself.
type Stream struct {
	R io.Reader
	W io.Writer
	C func() error // called by Close; may be nil
}

// Read reads from R.
func (s Stream) Read(_ context.Context, b []byte) (int, error) {
	if s.R == nil {
		return 0, io.EOF
	}
	return s.R.Read(b)
}

// Write writes to W.
func (s Stream) Write(_ context.Context, b []byte) (int, error) {
	if s.W == nil {
		return len(b), nil
	}
	return s.W.Write(b)
}

// Close calls C.
func (s Stream) Close() error {
	if s.C == nil {
		return nil
	}
	return s.C()
}

// text is a File that reads a string: a here-document.
type text struct {
	mu sync.Mutex
	s  string
}

// Text returns a File that holds s.
func Text(s string) File { return &text{s: s} }

func (t *text) Read(_ context.Context, b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.s == "" {
		return 0, io.EOF
	}
	n := copy(b, t.s)
	t.s = t.s[n:]
	return n, nil
}

func (t *text) Write(context.Context, []byte) (int, error) { return 0, vfs.EBADF }
func (t *text) Close() error                               { return nil }

// diskFile is a file of the filesystem.
type diskFile struct{ f *vfs.File }

func (d diskFile) Read(_ context.Context, b []byte) (int, error)  { return d.f.Read(b) }
func (d diskFile) Write(_ context.Context, b []byte) (int, error) { return d.f.Write(b) }
func (d diskFile) Close() error                                   { return d.f.Close() }

// zero is /dev/zero, and with limit 0 /dev/full.
type zero struct{ full bool }

func (z zero) Read(_ context.Context, b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func (z zero) Write(_ context.Context, b []byte) (int, error) {
	if z.full {
		return 0, vfs.ENOSPC
	}
	return len(b), nil
}

func (z zero) Close() error { return nil }
