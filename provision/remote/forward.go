package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Forward listens on the local address (host:port; port 0 takes a free one) and connects each connection made there
// to the address as the node sees it (such as 127.0.0.1:3000), until ctx ends or the connection to the node is lost.
// listening, if not nil, is told the address once it listens. It returns nil when ctx ended.
func (c *Client) Forward(ctx context.Context, local, address string, listening func(net.Addr)) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", local)
	if err != nil {
		return fmt.Errorf("%s: forward %s to %s: %w", c.Name(), local, address, err)
	}
	if listening != nil {
		listening(l.Addr())
	}
	inner, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() {
		select {
		case <-inner.Done():
		case <-c.down:
		}
		_ = l.Close()
	})
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			if ctx.Err() == nil {
				return &opError{node: c.Name(), what: "forward to " + address, err: c.disconnected()}
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: forward %s to %s: %w", c.Name(), local, address, err)
		}
		work.Go(func() { c.relay(inner, conn, address) })
	}
}

// relay joins a local connection with one made by the node, until both directions have ended.
func (c *Client) relay(ctx context.Context, near net.Conn, address string) {
	defer near.Close()
	far, err := c.ssh.DialContext(ctx, "tcp", address)
	if err != nil {
		c.log.Warn("cannot forward", "node", c.Name(), "to", address, "error", err)
		return
	}
	defer far.Close()
	stop := context.AfterFunc(ctx, func() { _ = near.Close(); _ = far.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { copyHalf(far, near) })
	both.Go(func() { copyHalf(near, far) })
	both.Wait()
}

// copyHalf copies one direction and passes its end on.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
