package guest

import (
	"context"
	"errors"
)

// fileLock is what flock(2) keeps for a file.
type fileLock struct {
	owners  map[*description]bool
	shared  bool
	changed chan struct{}
}

// ErrLocked is returned by Flock for a lock that somebody else holds.
var ErrLocked = errors.New("resource temporarily unavailable")

// Flock locks the file of a descriptor until the last copy of the descriptor is closed. Without wait it fails with
// ErrLocked when the lock is taken.
func (p *Process) Flock(ctx context.Context, fd int, shared, wait bool) error {
	d := p.fd(fd)
	if d == nil {
		return errors.New("Bad file descriptor") //nolint:staticcheck // worded as strerror(3) does
	}
	k := p.Kernel
	for {
		k.mu.Lock()
		l := k.locks[d.ino]
		if l == nil {
			l = &fileLock{owners: map[*description]bool{}, changed: make(chan struct{})}
			k.locks[d.ino] = l
		}
		free := len(l.owners) == 0 || len(l.owners) == 1 && l.owners[d] || shared && l.shared
		if free {
			l.owners[d] = true
			l.shared = shared
			k.mu.Unlock()
			return nil
		}
		changed := l.changed
		k.mu.Unlock()
		if !wait {
			return ErrLocked
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (k *Kernel) unlock(d *description) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.locks[d.ino]
	if l == nil || !l.owners[d] {
		return
	}
	delete(l.owners, d)
	close(l.changed)
	l.changed = make(chan struct{})
	if len(l.owners) == 0 {
		delete(k.locks, d.ino)
	}
}
