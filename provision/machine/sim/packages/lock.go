package packages

import (
	"context"
	"fmt"
	"sync"
	"time"

	"podium/provision/machine/sim/guest"
)

// frontend is the lock of /var/lib/dpkg/lock-frontend.
type frontend struct {
	mu     sync.Mutex
	holder string
	pid    int
	freed  chan struct{}
}

type frontendKey struct{}

func lockOf(k *guest.Kernel) *frontend {
	return guest.Value(k, frontendKey{}, func() *frontend { return &frontend{freed: make(chan struct{})} })
}

// take waits up to patience for the lock; the error is worded as apt words it.
func (f *frontend) take(ctx context.Context, p *guest.Process, patience time.Duration) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	told := false
	for {
		f.mu.Lock()
		if f.holder == "" {
			f.holder, f.pid = p.Exe, p.PID
			f.mu.Unlock()
			return nil
		}
		holder, pid, freed := f.holder, f.pid, f.freed
		f.mu.Unlock()
		blocked := fmt.Errorf("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process %d (%s)\n"+
			"N: Be aware that removing the lock file is not a solution and may break your system.\n"+
			"E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?", pid, holder)
		if patience <= 0 {
			return blocked
		}
		if !told {
			p.Errorf("Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process %d (%s)...", pid, holder)
			told = true
		}
		select {
		case <-freed:
		case <-deadline.C:
			return blocked
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *frontend) free() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holder = ""
	close(f.freed)
	f.freed = make(chan struct{})
}

// HoldLock has another process hold the package lock for a while, as unattended-upgrades does after boot.
func HoldLock(k *guest.Kernel, d time.Duration) {
	f := lockOf(k)
	f.mu.Lock()
	f.holder, f.pid = "unattended-upgr", 99
	f.mu.Unlock()
	time.AfterFunc(d, f.free)
}
