package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// TerminalOptions say what an interactive session runs and where. The zero value is a login shell on this process's
// own terminal.
type TerminalOptions struct {
	Command Command // Args, Shell and Sudo count; empty: the login shell
	In      *os.File
	Out     *os.File
	Err     *os.File
	Term    string // type of terminal; empty: $TERM, or else xterm-256color
}

// Shell runs a shell or a command with this side's terminal, until it ends: raw mode, changes of the window's size
// and the exit status are passed on (*ExitError as with Run). Without a terminal at In nothing is raw and the command
// gets no terminal either. The terminal is restored however Shell ends. As with OpenSSH's ssh, "~." at the start of a
// line ends the session from this side, for a node that does not answer, and "~~" sends one "~".
func (c *Client) Shell(ctx context.Context, o TerminalOptions) error {
	o = o.filled()
	line := ""
	if len(o.Command.Args) > 0 || o.Command.Shell != "" {
		var err error
		if line, err = o.Command.line(c.User(), ""); err != nil {
			return fmt.Errorf("%s: %w", c.Name(), err)
		}
	}
	command := Command{Args: o.Command.Args, Shell: o.Command.Shell, Sudo: o.Command.Sudo, Secret: o.Command.Secret}
	if !term.IsTerminal(int(o.In.Fd())) {
		command.Stdin, command.Stdout, command.Stderr = o.In, o.Out, o.Err
		_, err := (&run{client: c, command: command}).do(ctx, line)
		return err
	}
	return c.interactive(ctx, o, command, line)
}

func (o TerminalOptions) filled() TerminalOptions {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Err == nil {
		o.Err = os.Stderr
	}
	if o.Term == "" {
		o.Term = os.Getenv("TERM")
	}
	if o.Term == "" || o.Term == "dumb" && os.Getenv("TERM") == "" {
		o.Term = "xterm-256color" // Windows has no TERM; its consoles understand this one
	}
	return o
}

// interactive runs a session with a terminal at both ends.
func (c *Client) interactive(parent context.Context, o TerminalOptions, command Command, line string) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	r := &run{client: c, command: command}
	s, err := c.session(ctx)
	if err != nil {
		return r.failed(parent, err)
	}
	r.session = s
	defer s.abandon()
	if err := s.terminal(ctx, o.Term, windowSize(o)); err != nil {
		return r.failed(parent, fmt.Errorf("get a terminal: %w", err))
	}
	restore, err := makeRaw(o)
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer restore()
	if err := s.start(ctx, line); err != nil {
		return r.failed(parent, err)
	}
	keys, err := openKeys(o.In)
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	pumped := make(chan struct{})
	defer keys.end(pumped)
	out := s.stream(o.Out, tee(o.Err, &r.stderr), func(err error) { cancel(fmt.Errorf("write output: %w", err)) })
	defer out.shut()
	go func() {
		defer close(pumped)
		cancel(pump(s.channel, keys))
	}()
	stop := watchSize(o, s.resize)
	defer stop()

	select {
	case <-s.exited:
		s.drain(ctx, out)
	case <-s.over:
		<-out.done
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(cause, io.EOF) {
			return r.failed(parent, cause)
		}
		// The input has ended; the command may go on.
		select {
		case <-s.exited:
			s.drain(parent, out)
		case <-s.over:
			<-out.done
		case <-parent.Done():
			return r.failed(parent, context.Cause(parent))
		}
	}
	out.shut()
	_, err = r.ending()
	return err
}

// Opcodes of terminal modes: RFC 4254, section 8, and RFC 8160 for IUTF8.
const (
	modeEnd    = 0
	modeIUTF8  = 42
	modeEcho   = 53
	modeISpeed = 128
	modeOSpeed = 129
)

// terminal asks for a pseudo terminal (RFC 4254, section 6.2).
func (s *session) terminal(ctx context.Context, kind string, size size) error {
	var modes []byte
	for _, m := range [][2]uint32{{modeEcho, 1}, {modeIUTF8, 1}, {modeISpeed, 38400}, {modeOSpeed, 38400}} {
		modes = append(modes, byte(m[0]), byte(m[1]>>24), byte(m[1]>>16), byte(m[1]>>8), byte(m[1]))
	}
	return s.ask(ctx, "pty-req", ssh.Marshal(struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}{Term: kind, Columns: size.columns, Rows: size.rows, Modes: string(append(modes, modeEnd))}))
}

// resize tells the node about a new size (RFC 4254, section 6.7).
func (s *session) resize(size size) {
	s.client.spawn(func() {
		_, _ = s.channel.SendRequest("window-change", false,
			ssh.Marshal(struct{ Columns, Rows, Width, Height uint32 }{Columns: size.columns, Rows: size.rows}))
	})
}

// pumpEnd bounds the wait for the goroutine that reads keys. It can hang in a write to a node that does not answer,
// and on Windows in a read that only another key ends.
const pumpEnd = time.Second

// size of a terminal in characters.
type size struct{ columns, rows uint32 }

// windowSize is the size of the terminal, or that of a classic one where it cannot be told.
func windowSize(o TerminalOptions) size {
	for _, f := range []*os.File{o.Out, o.In} {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 0 {
			return size{uint32(columns), uint32(rows)}
		}
	}
	return size{80, 24}
}

// pump sends keys until they end (io.EOF), the user leaves (ErrLeft) or sending fails.
func pump(channel ssh.Channel, keys io.Reader) error {
	buf := make([]byte, 4096)
	e := escapes{atStart: true}
	for {
		n, err := keys.Read(buf)
		send, left := e.filter(buf[:n])
		if len(send) > 0 {
			if _, err := channel.Write(send); err != nil {
				return nil // the session's end is noticed elsewhere
			}
		}
		if left {
			return ErrLeft
		}
		if err != nil {
			_ = channel.CloseWrite()
			return io.EOF
		}
	}
}

// escapes finds "~." at the start of a line among the keys.
type escapes struct {
	atStart bool // nothing was typed on this line yet
	tilde   bool // a tilde at the start of a line is held back
}

// filter gives the keys to send, and whether the user wants to leave.
func (e *escapes) filter(keys []byte) (send []byte, leave bool) {
	for _, k := range keys {
		switch {
		case e.tilde && k == '.':
			return send, true
		case e.tilde && k == '~': // one of the two
			send = append(send, k)
		case e.tilde:
			send = append(send, '~', k)
		case e.atStart && k == '~':
			e.tilde = true
			continue
		default:
			send = append(send, k)
		}
		e.tilde = false
		e.atStart = k == '\r' || k == '\n'
	}
	return send, false
}
