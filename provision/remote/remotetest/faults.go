package remotetest

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// faults are what a test ordered to go wrong.
type faults struct {
	refuse  atomic.Int64 // connections still to refuse
	deny    atomic.Bool
	dropIn  atomic.Int64 // bytes still to send before the connection drops; 0: none ordered
	dropEnd atomic.Int64 // commands still to be cut off at their end
	delay   atomic.Int64 // before each command, in nanoseconds
	login   atomic.Int64 // before each check of a key, in nanoseconds
	noSFTP  atomic.Bool
}

// Refuse makes the server hang up on the next n connections before a word is said.
func (s *Server) Refuse(n int) { s.faults.refuse.Store(int64(n)) }

// Deny makes the server refuse every login, or accept the right key again.
func (s *Server) Deny(deny bool) { s.faults.deny.Store(deny) }

// DropAfter cuts a connection once the server has sent n bytes, over all connections together, and then no more.
func (s *Server) DropAfter(n int64) { s.faults.dropIn.Store(n) }

// DropCommands cuts all connections at the end of the next n commands, instead of telling the exit code.
func (s *Server) DropCommands(n int) { s.faults.dropEnd.Store(int64(n)) }

// Slow makes every command start that much later.
func (s *Server) Slow(by time.Duration) { s.faults.delay.Store(int64(by)) }

// SlowLogin makes every check of a key take that long.
func (s *Server) SlowLogin(by time.Duration) { s.faults.login.Store(int64(by)) }

// NoSFTP makes the server refuse SFTP, or offer it again.
func (s *Server) NoSFTP(refuse bool) { s.faults.noSFTP.Store(refuse) }

// Space limits how many bytes SFTP still takes before the disk is full; 0: no limit.
func (s *Server) Space(bytes int64) {
	s.space.used.Store(0)
	s.space.limit.Store(bytes)
}

// SwapHostKey gives the server another host key, as if another machine answered at its address.
func (s *Server) SwapHostKey() {
	key := newSigner(s.t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host = key
}

// Drop cuts all connections now.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

func (f *faults) refused() bool { return countDown(&f.refuse) }
func (f *faults) denied() bool  { return f.deny.Load() }
func (f *faults) dropNow() bool { return countDown(&f.dropEnd) }

// countDown takes one off and tells whether there was one.
func countDown(n *atomic.Int64) bool {
	for {
		left := n.Load()
		if left <= 0 {
			return false
		}
		if n.CompareAndSwap(left, left-1) {
			return true
		}
	}
}

func (f *faults) slow(ctx context.Context) error {
	by := time.Duration(f.delay.Load())
	if by == 0 {
		return nil
	}
	timer := time.NewTimer(by)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *faults) wrap(c net.Conn) net.Conn { return &fragile{Conn: c, faults: f} }

// fragile is a connection that drops when it was ordered to.
type fragile struct {
	net.Conn
	faults *faults
}

func (c *fragile) Write(p []byte) (int, error) {
	if left := c.faults.dropIn.Load(); left > 0 {
		if int64(len(p)) >= left {
			c.faults.dropIn.Store(0)
			n, _ := c.Conn.Write(p[:left])
			_ = c.Conn.Close()
			return n, net.ErrClosed
		}
		c.faults.dropIn.Add(-int64(len(p)))
	}
	return c.Conn.Write(p)
}
