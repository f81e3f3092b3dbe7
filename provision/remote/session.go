package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// session is one SSH session: a command, a shell or a subsystem (RFC 4254, section 6).
type session struct {
	client  *Client
	channel ssh.Channel
	exited  chan struct{} // closed when the server said how the command ended
	over    chan struct{} // closed when the channel is closed
	code    int           // read after exited is closed
	signal  string
	told    bool // an end was told; read after over is closed
}

// watch reads what the server says about a session until its channel is closed; then its place is free.
func (c *Client) watch(channel ssh.Channel, requests <-chan *ssh.Request) *session {
	s := &session{client: c, channel: channel, exited: make(chan struct{}), over: make(chan struct{})}
	c.spawn(func() {
		for r := range requests {
			if s.told = s.told || s.ended(r); s.told {
				closeOnce(s.exited)
			}
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
		}
		close(s.over)
		c.sessions.release()
	})
	return s
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// ended reads exit-status and exit-signal (RFC 4254, section 6.10).
func (s *session) ended(r *ssh.Request) bool {
	switch r.Type {
	case "exit-status":
		if len(r.Payload) < 4 {
			return false
		}
		s.code = int(binary.BigEndian.Uint32(r.Payload))
		return true
	case "exit-signal":
		var m struct {
			Signal  string
			Core    bool
			Message string
			Lang    string
		}
		if ssh.Unmarshal(r.Payload, &m) != nil {
			return false
		}
		s.signal, s.code = signalName(m.Signal), 128+signalNumber(m.Signal)
		return true
	}
	return false
}

// signalName is a signal's name as a node gave it, if it is one: it stands in messages.
func signalName(name string) string {
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "of no known name"
	}
	return name
}

// signalNumber is Linux's number of a signal of RFC 4254; 0 for an unknown one.
func signalNumber(name string) int {
	switch ssh.Signal(name) {
	case ssh.SIGHUP:
		return 1
	case ssh.SIGINT:
		return 2
	case ssh.SIGQUIT:
		return 3
	case ssh.SIGILL:
		return 4
	case ssh.SIGABRT:
		return 6
	case ssh.SIGFPE:
		return 8
	case ssh.SIGKILL:
		return 9
	case ssh.SIGUSR1:
		return 10
	case ssh.SIGSEGV:
		return 11
	case ssh.SIGUSR2:
		return 12
	case ssh.SIGPIPE:
		return 13
	case ssh.SIGALRM:
		return 14
	case ssh.SIGTERM:
		return 15
	}
	return 0
}

// ask sends a request and waits for the server's yes.
func (s *session) ask(ctx context.Context, what string, payload []byte) error {
	answer := make(chan error, 1)
	s.client.spawn(func() {
		ok, err := s.channel.SendRequest(what, true, payload)
		if err == nil && !ok {
			err = errRefused
		}
		answer <- err
	})
	select {
	case err := <-answer:
		if err != nil && !errors.Is(err, errRefused) {
			return s.client.broken(fmt.Errorf("%s: %w", what, err))
		}
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var errRefused = errors.New("the server refuses it")

// start runs a command line, or the login shell if it is empty.
func (s *session) start(ctx context.Context, line string) error {
	if line == "" {
		if err := s.ask(ctx, "shell", nil); err != nil {
			return fmt.Errorf("start shell: %w", err)
		}
		return nil
	}
	if err := s.ask(ctx, "exec", ssh.Marshal(struct{ Command string }{line})); err != nil {
		return fmt.Errorf("start command: %w", err)
	}
	return nil
}

// kill sends a signal without waiting for an answer: there is none. sshd passes it to the command's process group
// if the user may.
func (s *session) kill(signal ssh.Signal) {
	s.client.spawn(func() {
		_, _ = s.channel.SendRequest("signal", false, ssh.Marshal(struct{ Signal string }{string(signal)}))
	})
}

// abandon closes the session from here, without waiting for the server.
func (s *session) abandon() { s.client.spawn(func() { _ = s.channel.Close() }) }

// streams copies a session's output until both ends are reached.
type streams struct {
	out, err *gate
	done     chan struct{} // closed when both are at their end
}

func (s *session) stream(stdout, stderr io.Writer, broken func(error)) *streams {
	st := &streams{out: &gate{w: stdout, broken: broken}, err: &gate{w: stderr, broken: broken}, done: make(chan struct{})}
	both := make(chan struct{}, 2)
	for _, c := range []struct {
		from io.Reader
		to   *gate
	}{{s.channel, st.out}, {s.channel.Stderr(), st.err}} {
		s.client.spawn(func() {
			pour(c.to, c.from)
			both <- struct{}{}
		})
	}
	s.client.spawn(func() {
		<-both
		<-both
		close(st.done)
	})
	return st
}

// pour copies until the end, with a buffer that starts small and grows with what comes: most commands say little, and
// io.Copy's 32 KiB for each output of a hundred nodes would be half of all that they cost here.
func pour(to *gate, from io.Reader) {
	buf := make([]byte, 512)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			_, _ = to.Write(buf[:n])
		}
		if err != nil {
			return
		}
		if n == len(buf) && n < 32<<10 {
			buf = make([]byte, 4*n)
		}
	}
}

// shut stops passing output on; what still comes is thrown away.
func (st *streams) shut() {
	st.out.shut()
	st.err.shut()
}

// idleOutput is how long a command that has ended may keep its output open without writing. Then a process left in
// the background holds it; nobody waits for that one.
const idleOutput = 2 * time.Second

// drain waits for the rest of the output of a command that has ended.
func (s *session) drain(ctx context.Context, st *streams) {
	timer := time.NewTimer(idleOutput)
	defer timer.Stop()
	for {
		before := st.out.count() + st.err.count()
		select {
		case <-st.done:
			return
		case <-s.over:
			<-st.done // both ends come with the closed channel
			return
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		// The answer comes behind all output that is under way: silence is not just a slow line.
		if err := s.ask(ctx, "keepalive@openssh.com", nil); err != nil && !errors.Is(err, errRefused) {
			return
		}
		if st.out.count()+st.err.count() == before && !st.out.busy() && !st.err.busy() {
			s.client.log.Debug("a process in the background keeps the output open; not waiting for it", "node", s.client.Name())
			return
		}
		timer.Reset(idleOutput)
	}
}
