package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Run runs a command; see Host. Beyond that:
//
// It waits for a free session of the connection. A cancelled command is asked to end step by step, each with a pause
// (DialOptions.Grace): with Lifeline its stdin ends, then its process group gets TERM, then KILL, then the session is
// closed; the error wraps ctx's cause.
//
// A Stdout or Stderr that fails cancels the command the same way, and the error wraps the writer's. Neither is
// written to after Run has returned. A Stdin that blocks is read once more after Run has returned; what it then gives
// is lost.
//
// The command has ended when its process has: what it leaves in the background may keep the output open, and is not
// waited for.
func (c *Client) Run(ctx context.Context, cmd Command) (Result, error) {
	r := &run{client: c, command: cmd}
	if cmd.marked(c.User()) {
		r.mark = random()
	}
	line, err := cmd.line(c.User(), r.mark)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", c.Name(), err)
	}
	start := time.Now()
	if !cmd.Secret {
		c.log.Trace("run", "node", c.Name(), "command", shorten(line, 200))
	}
	result, err := r.do(ctx, line)
	result.Duration = time.Since(start)
	return result, err
}

// run is one command under way.
type run struct {
	client  *Client
	command Command
	mark    string // empty: none
	session *session
	hangup  chan struct{} // closed to end stdin of a command with a Lifeline
	stdout  tail
	stderr  tail
}

func (r *run) do(parent context.Context, line string) (Result, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	s, err := r.client.session(ctx)
	if err != nil {
		return Result{}, r.failed(parent, err)
	}
	r.session, r.hangup = s, make(chan struct{})
	defer s.abandon()
	if err := s.start(ctx, line); err != nil {
		return Result{}, r.failed(parent, err)
	}
	out := s.stream(either(r.command.Stdout, &r.stdout), tee(r.command.Stderr, &r.stderr), func(err error) {
		cancel(fmt.Errorf("write output: %w", err))
	})
	defer out.shut()
	go r.feed(cancel) // Close does not wait for it: the caller's Stdin may never return

	select {
	case <-s.exited:
		s.drain(ctx, out)
	case <-s.over:
		<-out.done // both ends come with the closed channel
	case <-ctx.Done():
		r.stop()
	}
	out.shut()
	if cause := context.Cause(ctx); cause != nil {
		return r.result(), r.failed(parent, cause)
	}
	return r.ending()
}

func (r *run) result() Result {
	return Result{Stdout: r.stdout.Bytes(), Stderr: r.stderr.Bytes()}
}

// ending makes the result of a command that ended by itself.
func (r *run) ending() (Result, error) {
	result := r.result()
	select {
	case <-r.session.exited:
	default:
		return result, r.named(r.client.broken(errors.New("the session ended without an exit status")))
	}
	result.Code = r.session.code
	if result.Code == 0 && r.session.signal == "" {
		return result, nil
	}
	exit := &ExitError{Host: r.client.Name(), Command: r.command.label(), Code: result.Code, Signal: r.session.signal, Stderr: string(result.Stderr)}
	return result, explained(r.command, r.client.User(), exit)
}

// feed gives the command its stdin, and then the end of file: at once, or with a Lifeline when nobody waits for the
// command any more. All is done by one goroutine, since ssh.Channel's Write and CloseWrite must not meet.
func (r *run) feed(cancel context.CancelCauseFunc) {
	if r.command.Stdin != nil {
		in := &source{Reader: r.command.Stdin}
		_, _ = io.Copy(r.session.channel, in)
		if in.err != nil { // end of file would let the command take a part for the whole
			cancel(fmt.Errorf("read stdin: %w", in.err))
			return
		}
	}
	if r.command.Lifeline {
		select {
		case <-r.hangup:
		case <-r.session.over:
			return
		}
	}
	_ = r.session.channel.CloseWrite()
}

// failed is the error of a command whose end is not known.
func (r *run) failed(parent context.Context, err error) error {
	switch {
	case parent.Err() != nil:
		err = fmt.Errorf("cancelled: %w", context.Cause(parent))
	case errors.Is(err, errRefused):
		err = fmt.Errorf("%w: %w", ErrSessions, err)
	}
	return r.named(err)
}

// named puts node and command before an error's text.
func (r *run) named(err error) error {
	return &opError{node: r.client.Name(), what: shorten(r.command.label(), 120), err: err}
}

// sudoError is sudo that did not even start the command. It is ErrSudo.
type sudoError struct {
	*ExitError
	hint string
}

func (e *sudoError) Error() string {
	what := shorten(e.Command, 120)
	if what == "" {
		what = "command"
	}
	return fmt.Sprintf("%s: %s: %v: %s: %s", e.Host, what, ErrSudo, strings.TrimPrefix(lastLine(e.Stderr), "sudo: "), e.hint)
}

// Unwrap gives ErrSudo and the *ExitError.
func (e *sudoError) Unwrap() []error { return []error{ErrSudo, e.ExitError} }

// explained says why sudo did not even start the command, if that is what happened. The texts are those of sudo 1.8 and
// 1.9 (plugins/sudoers/check.c and logging.c, src/tgetpass.c) and of sudo-rs; other languages are not recognised and keep
// the plain *ExitError.
func explained(c Command, user string, exit *ExitError) error {
	if !c.Sudo || user == "root" {
		return exit
	}
	switch {
	case exit.Code == 1 && contains(exit.Stderr, "a password is required", "a terminal is required", "interactive authentication is required",
		"is not in the sudoers file", "is not allowed to execute", "may not run sudo"):
		return &sudoError{exit, fmt.Sprintf("let %s use sudo without a password: a line \"%s ALL=(ALL) NOPASSWD:ALL\" in /etc/sudoers.d/podium", user, user)}
	case exit.Code == 127 && contains(exit.Stderr, "sudo: not found", "sudo: command not found"):
		return &sudoError{exit, "install sudo on the node, or log in as root"}
	}
	return exit
}

func contains(text string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

func either(w io.Writer, otherwise io.Writer) io.Writer {
	if w != nil {
		return w
	}
	return otherwise
}

// tee writes to w, if there is one, and keeps the tail all the same.
func tee(w io.Writer, kept *tail) io.Writer {
	if w == nil {
		return kept
	}
	return io.MultiWriter(kept, w)
}

// source remembers why reading failed, apart from why writing did.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
