package remote

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// jumps are the connections to jump hosts in use: many nodes behind one host share one connection to it.
type jumps struct {
	mu   sync.Mutex
	open map[string]*jump
}

// jump is one connection to a jump host, closed when its last user is done.
type jump struct {
	all    *jumps
	key    string
	ready  chan struct{} // closed when client or err is set
	client *Client
	err    error
	users  int // guarded by all.mu
}

// take gives the connection to the jump host, made now or before. The one who makes it does so within its own ctx;
// if that fails the others try for themselves.
func (js *jumps) take(ctx context.Context, d *Dialer, e Endpoint) (*jump, error) {
	e = e.filled()
	key := fmt.Sprintf("%s@%s@%s %s", e.Node, e.User, e.address(), e.KeyFile)
	for {
		js.mu.Lock()
		j, there := js.open[key]
		if there && j.lost() {
			there = false
		}
		if !there {
			j = &jump{all: js, key: key, ready: make(chan struct{})}
			js.open[key] = j
		}
		j.users++
		js.mu.Unlock()
		if !there {
			j.client, j.err = d.handshake(ctx, e, func() {})
			close(j.ready)
		}
		select {
		case <-j.ready:
		case <-ctx.Done():
			j.release()
			return nil, context.Cause(ctx)
		}
		if j.err == nil {
			return j, nil
		}
		j.release()
		if !there || ctx.Err() != nil {
			return nil, j.err
		}
	}
}

// lost tells whether the connection failed or ended.
func (j *jump) lost() bool {
	select {
	case <-j.ready:
		return j.err != nil || j.client.lost() != nil
	default:
		return false
	}
}

// release ends one use; nil: without a jump host.
func (j *jump) release() {
	if j == nil {
		return
	}
	j.all.mu.Lock()
	j.users--
	last := j.users == 0
	if (last || j.lost()) && j.all.open[j.key] == j {
		delete(j.all.open, j.key)
	}
	j.all.mu.Unlock()
	if last && j.client != nil {
		_ = j.client.Close()
	}
}

// jumpError is why a jump host cannot be used.
type jumpError struct {
	node string
	err  error
}

func (e *jumpError) Error() string {
	return "jump host " + e.node + ": " + strings.TrimPrefix(e.err.Error(), e.node+": ")
}

func (e *jumpError) Unwrap() error { return e.err }
