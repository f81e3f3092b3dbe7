package guest

import (
	"errors"
	"fmt"
	"io"

	"podium/provision/machine/sim/vfs"
)

// Stdin reads descriptor 0.
func (p *Process) Stdin() io.Reader { return fdIO{p, 0} }

// Stdout writes descriptor 1.
func (p *Process) Stdout() io.Writer { return fdIO{p, 1} }

// Stderr writes descriptor 2.
func (p *Process) Stderr() io.Writer { return fdIO{p, 2} }

// FD reads and writes any descriptor.
func (p *Process) FD(fd int) io.ReadWriter { return fdIO{p, fd} }

type fdIO struct {
	p  *Process
	fd int
}

func (f fdIO) Read(b []byte) (int, error) {
	d := f.p.fd(f.fd)
	if d == nil {
		return 0, vfs.EBADF
	}
	return d.Read(f.p.ctx, b)
}

func (f fdIO) Write(b []byte) (int, error) {
	d := f.p.fd(f.fd)
	if d == nil {
		return 0, vfs.EBADF
	}
	n, err := d.Write(f.p.ctx, b)
	if errors.Is(err, EPIPE) {
		f.p.Signal(SIGPIPE)
	}
	return n, err
}

// Printf writes to standard output.
func (p *Process) Printf(format string, args ...any) { fmt.Fprintf(p.Stdout(), format, args...) }

// Print writes text to standard output.
func (p *Process) Print(text string) { io.WriteString(p.Stdout(), text) }

// Errorf writes a line to standard error.
func (p *Process) Errorf(format string, args ...any) { fmt.Fprintf(p.Stderr(), format+"\n", args...) }

// Fail writes "name: message" to standard error and returns code.
func (p *Process) Fail(code int, format string, args ...any) int {
	p.Errorf("%s: %s", p.Exe, fmt.Sprintf(format, args...))
	return code
}

// Reason is the part of a filesystem error that a program prints: "No such file or directory".
func Reason(err error) string {
	var e vfs.Errno
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}
