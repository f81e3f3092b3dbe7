package state

import (
	"fmt"
	"time"

	"github.com/gofrs/flock"
)

// Holder says who changes the lab at this moment; nil when nobody does. Nothing is made by it. A process that was
// killed leaves its note behind, so the note counts only while the lock is held.
func (d *Dir) Holder() *Holder {
	h := d.readHolder()
	if h == nil {
		return nil
	}
	if _, err := d.files.Stat(lockName); err != nil || d.makeLockFile() != nil {
		return nil
	}
	lock := flock.New(d.Path(lockName), flock.SetPermissions(0o600))
	free, err := lock.TryRLock()
	if err != nil {
		return nil
	}
	if free {
		_ = lock.Unlock()
		return nil
	}
	return h
}

// AtWork is "podium up is at work (ann on lab-pc, process 4711, since 2026-10-01 09:12:03)".
func (h Holder) AtWork() string {
	return fmt.Sprintf("%s is at work (%s on %s, process %d, since %s)", h.Command, h.User, h.Host, h.PID, h.Since.Local().Format(time.DateTime))
}
