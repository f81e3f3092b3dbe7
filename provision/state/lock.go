package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// ErrLocked is what errors.Is finds when somebody else is changing the lab.
var ErrLocked = errors.New("lab is locked")

// Holder says who changes a lab.
type Holder struct {
	User    string    `json:"user"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Command string    `json:"command"` // such as "podium up"
	Since   time.Time `json:"since"`
}

// String is "ann on lab-pc, podium up (process 4711), since 2026-10-01 09:12:03".
func (h Holder) String() string {
	return fmt.Sprintf("%s on %s, %s (process %d), since %s", h.User, h.Host, h.Command, h.PID, h.Since.Local().Format(time.DateTime))
}

// LockedError is the answer to whoever comes second. It is ErrLocked.
type LockedError struct {
	Path   string
	Holder *Holder // nil: the holder left no readable note
}

// Error names the holder and what to do.
func (e *LockedError) Error() string {
	by := "somebody"
	if e.Holder != nil {
		by = e.Holder.String()
	}
	return fmt.Sprintf("lab is being changed by %s: wait until it ends, or end it (lock: %s)", by, e.Path)
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// Lock takes the lab for this process and says so in .podium/lock.json, with command as what it is for. Someone
// else's lock gives *LockedError at once. The lock ends with unlock or with the process, whatever way it dies.
//
// The note stands in a file of its own because Windows lets nobody read a locked one.
func (d *Dir) Lock(ctx context.Context, command string) (unlock func() error, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	if err := d.makeDir(); err != nil {
		return nil, err
	}
	path, note := d.Path("lock"), d.Path("lock.json")
	lock := flock.New(path, flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the lab: %s: %w", path, err)
	}
	if !ok {
		return nil, &LockedError{Path: path, Holder: readHolder(note)}
	}
	d.sweep()
	if err := writeHolder(note, command); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return func() error {
		// The note goes first: once the lock is free the note may be somebody else's. Neither is an error when
		// destroy has removed the whole directory.
		if err := os.Remove(note); err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.Join(fmt.Errorf("unlock the lab: %w", err), lock.Unlock())
		}
		return lock.Unlock()
	}, nil
}

// sweep removes what processes that were killed in the middle of writeAtomic have left. It is for the lock's holder.
func (d *Dir) sweep() {
	for _, name := range []string{stateName, keptName, "lock.json", "applied.yaml"} {
		left, _ := filepath.Glob(d.Path(tempPattern(name))) // the pattern is valid
		for _, path := range left {
			_ = os.Remove(path) // litter does no harm
		}
	}
}

func writeHolder(path, command string) error {
	h := Holder{User: "unknown", Host: "unknown", PID: os.Getpid(), Command: command, Since: time.Now().Truncate(time.Second)}
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	if name, err := os.Hostname(); err == nil {
		h.Host = name
	}
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("lock the lab: %w", err)
	}
	return writeAtomic(path, append(text, '\n'))
}

func readHolder(path string) *Holder {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var h Holder
	if json.Unmarshal(text, &h) != nil || strings.TrimSpace(h.Command) == "" {
		return nil
	}
	return &h
}
