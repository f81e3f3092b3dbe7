package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// transfers keeps the one SFTP client of a connection, opened at first use. It holds one of the connection's
// sessions, and gives it up when it is idle while somebody waits for a session.
type transfers struct {
	client *Client

	opening sync.Mutex // held while a transfer is made

	mu      sync.Mutex
	current *transfer // nil: none
}

// transfer is one SFTP client in its session.
type transfer struct {
	*sftp.Client
	session *session
	meter   *meter
	users   int // guarded by transfers.mu
}

// use calls f with the SFTP client. When ctx ends and f does not within a second, SFTP of this connection starts
// again next time, and f is left alone until the connection ends: it must not touch what belongs to the caller then.
func (t *transfers) use(ctx context.Context, f func(*transfer) error) error {
	files, err := t.take(ctx)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	t.client.spawn(func() {
		err := f(files)
		t.release(files)
		done <- err
	})
	select {
	case err = <-done:
	case <-ctx.Done():
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			t.drop(files)
		}
		return fmt.Errorf("cancelled: %w", context.Cause(ctx))
	}
	if errors.Is(err, errListing) { // the meter has cut the client off
		t.drop(files)
		return err
	}
	if connectionGone(err) {
		t.drop(files)
		return t.client.broken(err)
	}
	return err
}

func connectionGone(err error) bool {
	return errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, sftp.ErrSSHFxNoConnection) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}

// take gives the SFTP client and counts its user.
func (t *transfers) take(ctx context.Context) (*transfer, error) {
	if files := t.ready(); files != nil {
		return files, nil
	}
	t.opening.Lock()
	defer t.opening.Unlock()
	if files := t.ready(); files != nil {
		return files, nil
	}
	files, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = files
	files.users = 1
	return files, nil
}

// ready counts a user of the client that is there.
func (t *transfers) ready() *transfer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil {
		t.current.users++
	}
	return t.current
}

func (t *transfers) release(files *transfer) {
	t.mu.Lock()
	files.users--
	t.mu.Unlock()
	if t.client.sessions.waiting.Load() > 0 {
		t.rest()
	}
}

// rest gives up the session of an idle client.
func (t *transfers) rest() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil && t.current.users == 0 {
		t.current.session.abandon()
		t.current = nil
	}
}

// drop gives up a client that does not answer.
func (t *transfers) drop(files *transfer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	files.session.abandon()
	if t.current == files {
		t.current = nil
	}
}

// open starts the SFTP subsystem.
func (t *transfers) open(ctx context.Context) (*transfer, error) {
	s, err := t.client.session(ctx)
	if err != nil {
		return nil, err
	}
	err = s.ask(ctx, "subsystem", ssh.Marshal(struct{ Name string }{"sftp"}))
	if errors.Is(err, errRefused) {
		err = fmt.Errorf("%w: look at Subsystem in its sshd_config", ErrNoSFTP)
	}
	if err != nil {
		s.abandon()
		return nil, err
	}
	t.client.spawn(func() { _, _ = io.Copy(io.Discard, s.channel.Stderr()) })
	stop := context.AfterFunc(ctx, s.abandon)
	m := &meter{Reader: s.channel}
	files, err := sftp.NewClientPipe(m, channelCloser{s.channel})
	if !stop() {
		return nil, fmt.Errorf("cancelled: %w", context.Cause(ctx))
	}
	if err != nil {
		s.abandon()
		if err := t.client.broken(err); t.client.lost() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w: look at Subsystem in its sshd_config", ErrNoSFTP, err)
	}
	return &transfer{Client: files, session: s, meter: m}, nil
}

// channelCloser ends the whole session when the SFTP client closes its writing end.
type channelCloser struct{ ssh.Channel }

// fileError puts node and path before an error about a file.
func (c *Client) fileError(what, name string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w for user %s", err, c.User())
	}
	return &opError{node: c.Name(), what: what + " " + name, err: err}
}
