package sim

import (
	"bytes"
	"context"
	"io"
	"sync"

	"podium/provision/machine/sim/guest"
)

// terminal is the line discipline between an SSH channel and the shell on it: line ends, Ctrl-C and Ctrl-D. The
// shell edits its lines itself.
type terminal struct {
	ch      io.Writer
	writing sync.Mutex // one program at a time, as in output

	mu     sync.Mutex
	kernel *guest.Kernel
	shell  *guest.Process
	gone   bool
}

func newTerminal(ch io.Writer) *terminal { return &terminal{ch: ch} }

func (t *terminal) attach(k *guest.Kernel) {
	t.mu.Lock()
	t.kernel = k
	t.mu.Unlock()
}

func (t *terminal) leader(p *guest.Process) {
	t.mu.Lock()
	t.shell = p
	t.mu.Unlock()
}

func (t *terminal) hangUp() {
	t.mu.Lock()
	t.gone = true
	t.mu.Unlock()
}

// Write sends output with CR LF line ends.
func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	gone := t.gone
	t.mu.Unlock()
	if gone {
		return 0, guest.EPIPE
	}
	out := bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	t.writing.Lock()
	defer t.writing.Unlock()
	if _, err := t.ch.Write(bytes.ReplaceAll(out, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, guest.EPIPE
	}
	return len(b), nil
}

// typed takes what the user types: Ctrl-C ends what runs in the foreground, or the line that is being typed. While a
// command runs, it is shown as it is typed, and a line ends with LF.
func (t *terminal) typed(b []byte) []byte {
	t.mu.Lock()
	kernel, shell := t.kernel, t.shell
	t.mu.Unlock()
	var others []*guest.Process
	if kernel != nil && shell != nil {
		for _, p := range kernel.Processes() {
			if p.PID != shell.PID && p.Session() == shell.Session() {
				others = append(others, p)
			}
		}
	}
	if i := bytes.IndexByte(b, 3); i >= 0 {
		t.Write([]byte("^C\n")) //nolint:errcheck
		for _, p := range others {
			p.Signal(guest.SIGINT)
		}
		if len(others) > 0 {
			return b[i+1:]
		}
		return append([]byte{21, '\r'}, b[i+1:]...) // clear the line
	}
	if len(others) == 0 {
		return b
	}
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	if i := bytes.IndexByte(b, 4); i >= 0 && len(others) > 0 {
		for _, p := range others {
			p.Signal(guest.SIGHUP)
		}
		b = b[:i]
	}
	t.Write(b) //nolint:errcheck
	return b
}

// input is standard input of the shell; writing to it, as x/term does, shows on the terminal.
func (t *terminal) input(r guest.File) guest.File { return ttyFile{t, r} }

type ttyFile struct {
	t *terminal
	r guest.File
}

func (f ttyFile) Read(ctx context.Context, b []byte) (int, error) { return f.r.Read(ctx, b) }
func (f ttyFile) Write(_ context.Context, b []byte) (int, error)  { return f.t.Write(b) }
func (f ttyFile) Close() error                                    { return f.r.Close() }
