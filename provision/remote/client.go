package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/crypto/ssh"
)

// Client is one connection to a node. It implements Host.
type Client struct {
	endpoint Endpoint
	o        DialOptions
	ssh      *ssh.Client
	conn     *watched
	via      *jump // nil without jump host
	log      hclog.Logger
	sessions *sessions
	files    *transfers

	down    chan struct{}         // closed when the connection has ended
	downErr error                 // why; read after down is closed
	verdict atomic.Pointer[error] // why we ended it, if we did
	asking  atomic.Bool           // a question for a sign of life is under way

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // goroutines of this connection
}

var _ Host = (*Client)(nil)

// client wraps a connection that is logged in, and starts to watch it.
func (d *Dialer) client(e Endpoint, conn *watched, via *jump, s *ssh.Client) *Client {
	c := &Client{endpoint: e, o: d.o, ssh: s, conn: conn, via: via, log: d.o.Log, down: make(chan struct{})}
	c.sessions = newSessions(d.o.Sessions)
	c.files = &transfers{client: c}
	c.spawn(func() {
		err := s.Wait()
		if v := c.verdict.Load(); v != nil {
			err = *v
		}
		c.downErr = err
		close(c.down)
	})
	if d.o.Keepalive > 0 {
		c.spawn(c.keepalive)
	}
	return c
}

// Name is the node's name.
func (c *Client) Name() string { return c.endpoint.Node }

// User is who is logged in.
func (c *Client) User() string { return c.endpoint.User }

// Close ends the connection and everything that runs over it. It waits until nothing of it is left here. Closing
// twice is harmless.
func (c *Client) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		_ = c.ssh.Close()
	}
	c.work.Wait()
	if first {
		c.via.release()
	}
	return nil
}

// Lost is closed when the connection has ended, for whatever reason.
func (c *Client) Lost() <-chan struct{} { return c.down }

// lost gives ErrDisconnected with the reason if the connection has ended.
func (c *Client) lost() error {
	select {
	case <-c.down:
		return c.disconnected()
	default:
		return nil
	}
}

// disconnected is the error of a connection that has ended: down is closed.
func (c *Client) disconnected() error {
	if c.downErr == nil {
		return ErrDisconnected
	}
	return fmt.Errorf("%w: %w", ErrDisconnected, c.downErr)
}

// broken is the error of something that failed because the connection ended, which is known a moment later. If
// the connection lives on, it is err.
func (c *Client) broken(err error) error {
	timer := time.NewTimer(200 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-c.down:
		return c.disconnected()
	case <-timer.C:
		return fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
}

// spawn runs f beside the caller; Close waits for it. On a closed connection f ends soon, and runs here and now.
func (c *Client) spawn(f func()) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		f()
		return
	}
	c.work.Add(1)
	c.mu.Unlock()
	go func() {
		defer c.work.Done()
		f()
	}()
}

// keepalive asks a silent peer for a sign of life and ends the connection if none comes.
func (c *Client) keepalive() {
	every := c.o.Keepalive
	tick := time.NewTimer(every)
	defer tick.Stop()
	var asked time.Time // zero: no question is open
	for {
		select {
		case <-c.down:
			return
		case <-tick.C:
		}
		quiet := c.conn.quiet()
		switch waited := time.Since(asked); {
		case quiet < every, !asked.IsZero() && quiet < waited: // heard of it lately, or since it was asked
			asked = time.Time{}
			tick.Reset(max(every-quiet, 0))
			continue
		case asked.IsZero(), waited > 2*every: // so late only if this process was stopped meanwhile: ask again
			asked = time.Now()
			c.ask()
			tick.Reset(every)
			continue
		}
		err := fmt.Errorf("no answer for %v: the node may be halted, asleep or cut off", quiet.Round(time.Millisecond))
		c.verdict.Store(&err)
		c.log.Debug("connection is dead", "node", c.Name(), "error", err)
		_ = c.conn.Close()
		return
	}
}

// ask asks the peer for a sign of life, which is any byte, unless it still owes one.
func (c *Client) ask() {
	if !c.asking.CompareAndSwap(false, true) {
		return
	}
	c.spawn(func() {
		_, _, _ = c.ssh.SendRequest("keepalive@openssh.com", true, nil)
		c.asking.Store(false)
	})
}

// watched is a connection that remembers when it last heard of the peer.
type watched struct {
	net.Conn
	start time.Time    // times are counted from here, so that changes of the wall clock do not matter
	last  atomic.Int64 // time.Since(start) of the last byte
	spoke func()       // called at the first byte
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.spoke()
		w.last.Store(int64(time.Since(w.start)))
	}
	return n, err
}

// quiet is how long nothing was heard.
func (w *watched) quiet() time.Duration { return time.Since(w.start) - time.Duration(w.last.Load()) }

// sessions bounds how many sessions are open at once on a connection.
type sessions struct {
	places  chan struct{}
	waiting atomic.Int32 // calls that want a session and have none yet
	mu      sync.Mutex
	ended   chan struct{} // closed and replaced when a session ends
}

func newSessions(n int) *sessions {
	return &sessions{places: make(chan struct{}, n), ended: make(chan struct{})}
}

// next is closed when the next session ends.
func (s *sessions) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *sessions) release() {
	<-s.places
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ended)
	s.ended = make(chan struct{})
}

// refusedFor is how long a server may refuse sessions while none of ours is open before that counts as an answer.
// sshd frees the place of an ended session a moment after it said so.
const refusedFor = 5 * time.Second

// session opens a session. It waits for a place on this connection, and further where the server allows fewer
// (MaxSessions): then it tries again whenever a session ends.
func (c *Client) session(ctx context.Context) (*session, error) {
	c.sessions.waiting.Add(1)
	defer c.sessions.waiting.Add(-1)
	if len(c.sessions.places) == cap(c.sessions.places) {
		c.files.rest()
	}
	select {
	case c.sessions.places <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.down:
		return nil, c.disconnected()
	}
	pause := 10 * time.Millisecond
	alone := time.Now()
	for {
		ended := c.sessions.next()
		s, err := c.openSession(ctx)
		var refused *ssh.OpenChannelError
		if !errors.As(err, &refused) {
			return s, err // openSession gave the place back if it failed
		}
		c.files.rest()
		if len(c.sessions.places) > 1 {
			alone = time.Now()
		} else if time.Since(alone) > refusedFor {
			c.sessions.release()
			return nil, fmt.Errorf("%w: %s: look at MaxSessions in its sshd_config", ErrSessions, shorten(refused.Message, 200))
		}
		timer := time.NewTimer(pause)
		select {
		case <-ended:
		case <-timer.C:
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-c.down:
			err = c.disconnected()
		}
		timer.Stop()
		if ctx.Err() != nil || c.lost() != nil {
			c.sessions.release()
			return nil, err
		}
		pause = min(2*pause, time.Second)
	}
}

// openSession asks the server for a session. The place goes back when the session has ended, or at once if none was
// opened, except after a refusal.
func (c *Client) openSession(ctx context.Context) (*session, error) {
	type answer struct {
		channel  ssh.Channel
		requests <-chan *ssh.Request
		err      error
	}
	answers := make(chan answer, 1)
	c.spawn(func() {
		channel, requests, err := c.ssh.OpenChannel("session", nil)
		answers <- answer{channel, requests, err}
	})
	select {
	case a := <-answers:
		var refused *ssh.OpenChannelError
		if errors.As(a.err, &refused) {
			return nil, a.err
		}
		if a.err != nil {
			c.sessions.release()
			return nil, c.broken(fmt.Errorf("open session: %w", a.err))
		}
		return c.watch(a.channel, a.requests), nil
	case <-ctx.Done():
		c.spawn(func() { // the answer may still come
			if a := <-answers; a.err == nil {
				_ = a.channel.Close()
				c.watch(a.channel, a.requests)
			} else {
				c.sessions.release()
			}
		})
		return nil, context.Cause(ctx)
	}
}
