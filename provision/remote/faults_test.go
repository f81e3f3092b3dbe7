package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

func TestConnectionLost(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{Handler: func(_ context.Context, e *remotetest.Exec) int {
		_, _ = io.WriteString(e.Stdout, strings.Repeat("x", 100_000))
		return 0
	}})
	tests := map[string]func(){
		"at the end of a command": func() { s.DropCommands(1) },
		"in its output":           func() { s.DropAfter(50_000) },
	}
	for name, order := range tests {
		c := s.Dial("w1")
		order()
		_, err := c.Run(t.Context(), remote.Command{Shell: "x"})
		if !errors.Is(err, remote.ErrDisconnected) || remote.Classify(err) != remote.Retry || !strings.HasPrefix(err.Error(), "w1: x: SSH connection lost") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Run(t.Context(), remote.Command{Shell: "x"}); !errors.Is(err, remote.ErrDisconnected) {
			t.Errorf("%s: afterwards: %v", name, err)
		}
	}
	_ = s.Dial("w1").Close()
	c := s.Dial("w1")
	if _, err := c.Run(t.Context(), remote.Command{Shell: "x"}); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

func TestSlowNode(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{})
	s.Slow(time.Hour)
	c, err := remote.NewDialer(remote.DialOptions{Grace: 10 * time.Millisecond}).Connect(t.Context(), s.Endpoint("w1"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Run(ctx, remote.Command{Shell: "x"}); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "w1: x: cancelled: ") {
		t.Errorf("error: %v", err)
	}
}

func TestMaxSessions(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{MaxSessions: 2, Handler: func(ctx context.Context, _ *remotetest.Exec) int {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
		return 0
	}})
	c := s.Dial("w1")
	if _, err := c.Stat(t.Context(), "/tmp"); err != nil { // SFTP takes one of the two
		t.Fatal(err)
	}
	names := make([]string, 30)
	for _, o := range remote.Each(t.Context(), names, 0, func(ctx context.Context, _ string) (remote.Result, error) {
		return c.Run(ctx, remote.Command{Shell: "x"})
	}) {
		if o.Err != nil {
			t.Error(o.Err)
		}
	}
	if _, err := c.Stat(t.Context(), "/tmp"); err != nil {
		t.Errorf("SFTP afterwards: %v", err)
	}
}

// TestOneSession: commands and SFTP take turns where only one session is allowed, on either side.
func TestOneSession(t *testing.T) {
	server := remotetest.New(t, remotetest.Options{MaxSessions: 1})
	for name, o := range map[string]remote.DialOptions{"the server's limit": {}, "both limits": {Sessions: 1}} {
		c, err := remote.NewDialer(o).Connect(t.Context(), server.Endpoint("w1"))
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range remote.Each(t.Context(), make([]string, 12), 0, func(ctx context.Context, _ string) (remote.Result, error) {
			if err := c.Put(ctx, put("/tmp/large", strings.Repeat("x", 400<<10))); err != nil { // summed by a command
				return remote.Result{}, err
			}
			return c.Run(ctx, remote.Command{Shell: "x"})
		}) {
			if o.Err != nil {
				t.Errorf("%s: %d: %v", name, i, o.Err)
			}
		}
		_ = c.Close()
	}
}

func TestSudoDoesNotWork(t *testing.T) {
	tests := map[string]struct {
		stderr string
		code   int
		want   string // empty: an ordinary exit
	}{
		"password":        {"sudo: a password is required\n", 1, "let podium use sudo without a password"},
		"terminal":        {"sudo: a terminal is required to read the password; either use the -S option ...\n", 1, "NOPASSWD:ALL"},
		"not a sudoer":    {"podium is not in the sudoers file.\nThis incident has been reported to the administrator.\n", 1, "/etc/sudoers.d/podium"},
		"not there":       {"bash: line 1: sudo: command not found\n", 127, "install sudo"},
		"not there, dash": {"sh: 1: sudo: not found\n", 127, "install sudo"},
		"the command":     {"grep: a password is needed\n", 1, ""},
		"other code":      {"sudo: a password is required\n", 2, ""},
	}
	for name, test := range tests {
		s := remotetest.New(t, remotetest.Options{Handler: func(_ context.Context, e *remotetest.Exec) int {
			fmt.Fprint(e.Stderr, test.stderr)
			return test.code
		}})
		_, err := s.Dial("w1").Run(t.Context(), remote.Command{Args: []string{"id"}, Sudo: true})
		var exit *remote.ExitError
		if !errors.As(err, &exit) || exit.Code != test.code || errors.Is(err, remote.ErrSudo) != (test.want != "") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRunMistakes(t *testing.T) {
	c := remotetest.New(t, remotetest.Options{Handler: echo}).Dial("w1")
	for want, cmd := range map[string]remote.Command{
		"command is empty":   {},
		"both Args and":      {Args: []string{"a"}, Shell: "b"},
		"NUL byte":           {Args: []string{"a\x00b"}},
		"at most 131071":     {Args: []string{"echo", strings.Repeat("x", 140_000)}},
		"read stdin: broken": {Shell: "wait", Stdin: readerFunc(func([]byte) (int, error) { return 0, errors.New("broken") })},
	} {
		if _, err := c.Run(t.Context(), cmd); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestRunBrokenOutput: the reader of the output may go, as `head` does; the command must not hang.
func TestRunBrokenOutput(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{Handler: func(ctx context.Context, e *remotetest.Exec) int {
		for ctx.Err() == nil {
			if _, err := io.WriteString(e.Stdout, "line\n"); err != nil {
				break
			}
		}
		return 1
	}})
	broken := errors.New("broken pipe")
	n := 0
	_, err := s.Dial("w1").Run(t.Context(), remote.Command{Shell: "x", Stdout: writerFunc(func(p []byte) (int, error) {
		if n += len(p); n > 1000 {
			return 0, broken
		}
		return len(p), nil
	})})
	if !errors.Is(err, broken) {
		t.Errorf("error: %v", err)
	}
}

func TestForward(t *testing.T) {
	web, err := net.Listen("tcp", "127.0.0.1:0") // what the node can reach
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	go func() {
		for {
			conn, err := web.Accept()
			if err != nil {
				return
			}
			text, _ := io.ReadAll(conn)
			_, _ = io.WriteString(conn, strings.ToUpper(string(text)))
			_ = conn.Close()
		}
	}()
	s := remotetest.New(t, remotetest.Options{})
	c := s.Dial("w1")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Forward(ctx, "127.0.0.1:0", web.Addr().String(), func(a net.Addr) { address <- a.String() })
	}()
	at := <-address
	for _, text := range []string{"hello", strings.Repeat("long ", 100_000)} {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(conn, text)
			_ = conn.(*net.TCPConn).CloseWrite()
		}()
		if got, err := io.ReadAll(conn); err != nil || string(got) != strings.ToUpper(text) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		_ = conn.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("cancelled: %v", err)
	}
	go func() {
		ended <- c.Forward(t.Context(), "127.0.0.1:0", web.Addr().String(), func(net.Addr) { s.Drop() })
	}()
	if err := <-ended; !errors.Is(err, remote.ErrDisconnected) {
		t.Errorf("connection lost: %v", err)
	}
}

func TestClassify(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("w1: step: %w", err) }
	for err, want := range map[error]remote.Class{
		wrap(remote.ErrUnreachable):                                  remote.Retry,
		wrap(remote.ErrDisconnected):                                 remote.Retry,
		wrap(remote.ErrChecksum):                                     remote.Retry,
		wrap(remote.ErrAuth):                                         remote.Auth,
		errors.Join(remote.ErrDisconnected, context.Canceled):        remote.Never,
		wrap(remote.ErrHostKey):                                      remote.Never,
		wrap(remote.ErrNoSpace):                                      remote.Never,
		wrap(remote.ErrSudo):                                         remote.Never,
		wrap(&remote.ExitError{Code: 1}):                             remote.Never,
		wrap(fs.ErrNotExist):                                         remote.Never,
		&remote.UnreachableError{Node: "w1", Cause: net.ErrClosed}:   remote.Retry,
		&remote.HostKeyError{Node: "w1", Pinned: []string{"SHA256"}}: remote.Never,
	} {
		if got := remote.Classify(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
	if remote.Classify(nil) != remote.Never {
		t.Error("nil can be tried again")
	}
}

func TestExitErrorText(t *testing.T) {
	for want, e := range map[string]remote.ExitError{
		"w1: ls /x: exit code 2: no such file":                            {Host: "w1", Command: "ls /x", Code: 2, Stderr: "warning\nno such file\n\n"},
		"w1: command: exit code 1":                                        {Host: "w1", Code: 1},
		"w1: sleep 9: ended by signal TERM":                               {Host: "w1", Command: "sleep 9", Code: 143, Signal: "TERM"},
		"w1: set -e ...: exit code 1: last":                               {Host: "w1", Command: "set -e\nlong script", Code: 1, Stderr: "10%\r20%\rlast"},
		"w1: " + strings.Repeat("한", 120) + " ...: exit code 1: b\uFFFDd": {Host: "w1", Command: strings.Repeat("한", 200), Code: 1, Stderr: "b\xffd"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
