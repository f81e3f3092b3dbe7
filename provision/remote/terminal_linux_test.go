package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// screen is a terminal of the test's own: what Shell writes is seen, and the test types.
type screen struct {
	t    *testing.T
	near *os.File // the user's side
	far  *os.File // the program's side

	mu   sync.Mutex
	seen bytes.Buffer
}

func newScreen(t *testing.T, columns, rows uint16) *screen {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("skipped: needs pseudo terminals: %v", err)
	}
	number, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	far, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, near: near, far: far}
	s.resize(columns, rows)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := near.Read(buf)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.seen.Write(buf[:n])
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = far.Close() // the other side reads an error then
		<-done
		_ = near.Close()
	})
	return s
}

func (s *screen) resize(columns, rows uint16) {
	s.t.Helper()
	if err := unix.IoctlSetWinsize(int(s.far.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) keys(text string) {
	s.t.Helper()
	if _, err := s.near.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) wait(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		seen := s.seen.String()
		s.mu.Unlock()
		if strings.Contains(seen, text) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("never on the screen: %q; there is %q", text, seen)
		}
	}
}

func (s *screen) options(c remote.Command) remote.TerminalOptions {
	return remote.TerminalOptions{Command: c, In: s.far, Out: s.far, Err: s.far, Term: "xterm"}
}

// terminalServer is an sshd that can give its user a terminal.
func terminalServer(t *testing.T) *remotetest.SSHD {
	t.Helper()
	server := remotetest.OpenSSH(t, remotetest.SSHDOptions{})
	c := connect(t, server.Endpoint("w1"), remote.DialOptions{})
	if err := c.Shell(t.Context(), newScreen(t, 80, 24).options(remote.Command{Shell: "true"})); err != nil {
		if os.Getuid() != 0 && strings.Contains(server.Log(), "chown(/dev/pts/") {
			t.Skip("skipped: needs root, or /dev/pts mounted with gid=5: sshd cannot give terminals to the group tty")
		}
		t.Fatalf("no terminal: %v\n%s", err, server.Log())
	}
	return server
}

func TestSSHDShell(t *testing.T) {
	c := connect(t, terminalServer(t).Endpoint("w1"), remote.DialOptions{})
	s := newScreen(t, 101, 37)
	before, err := term.GetState(int(s.far.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() {
		result <- c.Shell(t.Context(), s.options(remote.Command{Shell: "tty >/dev/null && echo $TERM; exec sh"}))
	}()
	s.wait("xterm\r\n")
	s.keys("stty size\r")
	s.wait("37 101")
	s.resize(120, 50)
	_ = syscall.Kill(os.Getpid(), syscall.SIGWINCH)
	s.keys("stty size\r")
	eventually(t, "new size", func() bool {
		s.keys("stty size\r")
		time.Sleep(20 * time.Millisecond)
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.seen.String(), "50 120")
	})
	s.keys("trap 'echo inter''rupted' INT; echo wai''ting; cat\r")
	s.wait("waiting")
	time.Sleep(50 * time.Millisecond) // for cat to start: Ctrl-C throws away what is typed ahead
	s.keys("\x03")                    // and reaches the node, not this process
	s.wait("interrupted")
	s.keys("echo 한''글; exit 7\r")
	err = <-result
	var exit *remote.ExitError
	if !errors.As(err, &exit) || exit.Code != 7 {
		t.Errorf("error: %v", err)
	}
	s.wait("한글")
	if after, err := term.GetState(int(s.far.Fd())); err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the terminal is not as before: %v, %v", after, err)
	}
}

func TestSSHDShellEnds(t *testing.T) {
	server := terminalServer(t)
	enough := errors.New("enough")
	tests := map[string]struct {
		end  func(s *screen, c *remote.Client, cancel context.CancelCauseFunc)
		want error
	}{
		"login shell": {func(s *screen, _ *remote.Client, _ context.CancelCauseFunc) { s.keys("exit\r") }, nil},
		"escape":      {func(s *screen, _ *remote.Client, _ context.CancelCauseFunc) { s.keys("\r~.") }, remote.ErrLeft},
		"cancelled":   {func(_ *screen, _ *remote.Client, cancel context.CancelCauseFunc) { cancel(enough) }, enough},
		"lost":        {func(_ *screen, c *remote.Client, _ context.CancelCauseFunc) { go c.Close() }, remote.ErrDisconnected},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := connect(t, server.Endpoint("w1"), remote.DialOptions{})
			s := newScreen(t, 80, 24)
			before, _ := term.GetState(int(s.far.Fd()))
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			result := make(chan error, 1)
			go func() { result <- c.Shell(ctx, s.options(remote.Command{})) }()
			s.keys("echo rea''dy\r")
			s.wait("ready")
			test.end(s, c, cancel)
			if err := <-result; !errors.Is(err, test.want) {
				t.Errorf("error: %v", err)
			}
			if after, err := term.GetState(int(s.far.Fd())); err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("the terminal is not as before: %v, %v", after, err)
			}
		})
	}
}

func TestSSHDShellNoTerminal(t *testing.T) {
	c := connect(t, remotetest.OpenSSH(t, remotetest.SSHDOptions{}).Endpoint("w1"), remote.DialOptions{})
	dir := t.TempDir()
	open := func(name, text string) *os.File {
		if err := os.WriteFile(dir+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(dir+name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	for name, command := range map[string]remote.Command{"command": {Args: []string{"sh"}}, "login shell": {}} {
		in, out, errs := open("in", "echo out; echo err >&2; tty; exit 3"), open("out", ""), open("err", "")
		err := c.Shell(t.Context(), remote.TerminalOptions{Command: command, In: in, Out: out, Err: errs})
		var exit *remote.ExitError
		if !errors.As(err, &exit) || exit.Code != 3 {
			t.Errorf("%s: %v", name, err)
		}
		got, _ := os.ReadFile(dir + "out")
		gotErr, _ := os.ReadFile(dir + "err")
		if string(got) != "out\nnot a tty\n" || !strings.Contains(string(gotErr), "err\n") {
			t.Errorf("%s: %q, %q", name, got, gotErr)
		}
	}
}
