package vagrant

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// program is VBoxManage, virsh or vagrant, and what it runs with.
type program struct {
	name string // as people know it
	path string
	dir  string   // empty: the current one
	env  []string // beside the caller's environment, which it wins over
	log  hclog.Logger
	exec execute // nil: a process
}

// answer is what a program said.
type answer struct {
	stdout, stderr string
	code           int
}

// endGrace is how long a program may take to end once it has been told to. Vagrant finishes the call that it is in.
const endGrace = 15 * time.Second

// run runs the program and keeps what it says. A code other than 0 is a *CommandError, as is a missed deadline.
func (p program) run(ctx context.Context, deadline time.Duration, args ...string) (answer, error) {
	var stdout, stderr bytes.Buffer
	return p.stream(ctx, deadline, &stdout, &stderr, args...)
}

// texts are the writers that stream can read back.
type texts interface {
	Write([]byte) (int, error)
	String() string
}

func (p program) stream(ctx context.Context, deadline time.Duration, stdout, stderr texts, args ...string) (answer, error) {
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	begin := time.Now()
	code, err := p.start(limited, stdout, stderr, args...)
	out := answer{stdout: Text([]byte(stdout.String())), stderr: Text([]byte(stderr.String())), code: code}
	p.log.Debug("ran", "program", p.name, "args", args, "code", out.code, "took", time.Since(begin))
	if err == nil && out.code == 0 {
		return out, nil
	}
	failed := &CommandError{Program: p.name, Args: args, Code: out.code, Message: message(out), Err: err}
	switch {
	case ctx.Err() != nil:
		failed.Err = ctx.Err()
	case limited.Err() != nil:
		failed.Err = limited.Err()
		failed.Cause = fmt.Sprintf("did not end within %s", deadline)
		failed.Fix = hangFix(p.name)
	default:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			failed.Err = nil // the code says it all
		}
		failed.explain()
	}
	return out, failed
}

// start runs the process and gives its exit code, -1 when there was none. When ctx ends, the program is asked to end,
// and after endGrace it and what it has started are killed.
func (p program) start(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error) {
	if p.exec != nil {
		return p.exec(ctx, stdout, stderr, args...)
	}
	c := exec.CommandContext(ctx, p.path, args...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), p.env...)
	c.Stdout, c.Stderr = stdout, stderr
	c.WaitDelay = endGrace
	ownGroup(c)
	c.Cancel = func() error { return interrupt(c) }
	if err := c.Start(); err != nil {
		return -1, err
	}
	started := groupOf(c)
	defer started.close()
	err := c.Wait()
	if errors.Is(err, exec.ErrWaitDelay) { // it ended, but a background process of its own (VBoxSVC) holds its output
		err = nil
	}
	if ctx.Err() != nil {
		started.end()
	}
	return c.ProcessState.ExitCode(), err
}

// execute has the shape of program.start, for tests that play the program themselves.
type execute func(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error)

// message is what went wrong in the program's own words: what it said on stderr without its progress bars, else all.
func message(a answer) string {
	var lines []string
	for line := range strings.Lines(a.stderr) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && !strings.HasPrefix(line, "0%...") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return strings.TrimSpace(a.stdout)
	}
	return strings.Join(lines, "\n")
}

func hangFix(name string) string {
	if name == "VBoxManage" {
		return "VirtualBox's service hangs: close VirtualBox's window, end the process VBoxSVC and try again"
	}
	return "run the command by hand to see what it waits for"
}

// CommandError is a program of VirtualBox, libvirt or Vagrant that failed.
type CommandError struct {
	Program string // VBoxManage, virsh or vagrant
	Args    []string
	Node    string // empty: none in particular
	Code    int    // exit code; -1 when it was ended from outside
	Class   string // Vagrant's name of its error, such as Vagrant::Errors::BoxAddShortNotFound
	Message string // what the program said, whole
	Cause   string // what it means; empty: not known
	Fix     string // what to do about it; empty: not known
	Err     error  // context.DeadlineExceeded, context.Canceled or why the program could not be run; nil: it ran and failed
}

// Error says what failed, why, and what to do about it.
func (e *CommandError) Error() string {
	var b strings.Builder
	if e.Node != "" {
		fmt.Fprintf(&b, "%s: ", e.Node)
	}
	b.WriteString(e.Program)
	for _, arg := range e.Args {
		if !strings.HasPrefix(arg, "--") { // flags tell a reader nothing
			b.WriteString(" " + arg)
		}
	}
	switch {
	case e.Cause != "":
		b.WriteString(": " + e.Cause)
	case e.Err != nil:
		b.WriteString(": " + e.Err.Error())
	default:
		fmt.Fprintf(&b, ": exit code %d", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + firstLines(e.Message, 3))
	}
	if e.Fix != "" {
		b.WriteString("\n  fix: " + e.Fix)
	}
	return b.String()
}

// Unwrap gives why the program could not run to its end.
func (e *CommandError) Unwrap() error { return e.Err }

// Retryable reports whether the same call may succeed when it is made again.
func (e *CommandError) Retryable() bool {
	return e.Class == classLocked || meaningOf(e.Message) == meansAskAgain
}

// firstLines gives the first lines that say something, joined by blanks.
func firstLines(text string, n int) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
		if len(lines) == n {
			break
		}
	}
	return strings.Join(lines, " ")
}
