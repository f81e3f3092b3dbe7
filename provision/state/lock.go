package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"podium/provision/folder"
)

const (
	lockName = "lock"
	noteName = "lock.json"
	maxNote  = 64 << 10 // bytes of a note that are read
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

// LockedError is the answer to the second one. It is ErrLocked.
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
// else's lock gives *LockedError at once. The lock ends with unlock, which may be called twice, or with the process,
// whatever way it dies.
//
// The note stands in a file of its own because Windows lets nobody read a locked one.
func (d *Dir) Lock(ctx context.Context, command string) (unlock func() error, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	if err := d.Make(); err != nil {
		return nil, err
	}
	path := d.Path(lockName)
	if err := d.makeLockFile(); err != nil {
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the lab: %s: %w", path, err)
	}
	if !ok {
		return nil, &LockedError{Path: path, Holder: d.readHolder()}
	}
	d.lock = lock
	d.sweep()
	d.noteOrigin()
	d.reserve()
	// The lock is held, with the note or without it: a full disk must not keep anybody from freeing space.
	if err := d.writeHolder(command); err != nil && !folder.IsFull(err) {
		return nil, errors.Join(err, lock.Unlock())
	}
	return sync.OnceValue(func() error {
		// The note goes first: once the lock is free the note may be somebody else's. Neither is an error when
		// destroy has removed the whole directory.
		if err := d.files.Remove(noteName); err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.Join(fmt.Errorf("unlock the lab: %w", err), lock.Unlock())
		}
		return lock.Unlock()
	}), nil
}

// makeLockFile makes sure that the lock is a file of .podium's own before the library opens it by its path.
func (d *Dir) makeLockFile() error {
	file, err := d.files.OpenFile(lockName, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// sweep removes what processes that were killed while they wrote a file have left. It is for the lock's holder.
func (d *Dir) sweep() {
	entries, _ := d.files.ReadDir(".") // nothing can be swept where nothing can be listed
	for _, e := range entries {
		for _, name := range []string{stateName, keptName, noteName, originName, reserveName, "applied.yaml"} {
			if strings.HasPrefix(e.Name(), folder.TempPrefix(name)) {
				_ = d.files.Remove(e.Name()) // a leftover file is harmless
			}
		}
	}
}

func (d *Dir) writeHolder(command string) error {
	name, host := person()
	text, err := json.Marshal(Holder{User: name, Host: host, PID: os.Getpid(), Command: command, Since: time.Now().Truncate(time.Second)})
	if err != nil {
		return fmt.Errorf("lock the lab: %w", err)
	}
	return d.write(noteName, append(text, '\n'))
}

// person names who runs podium, and on which computer.
func person() (name, host string) {
	name, host = "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name, host
}

func (d *Dir) readHolder() *Holder {
	text, err := d.files.Read(noteName, maxNote)
	if err != nil {
		return nil
	}
	var h Holder
	if json.Unmarshal(text, &h) != nil || strings.TrimSpace(h.Command) == "" {
		return nil
	}
	return &h
}
