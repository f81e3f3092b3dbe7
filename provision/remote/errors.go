package remote

import (
	"errors"
	"fmt"
)

// Errors that callers tell apart by errors.Is. Every error of this package is wrapped in one of them or is an *ExitError.
var (
	ErrUnreachable  = errors.New("no SSH answer")            // retry: the machine may still boot
	ErrDisconnected = errors.New("SSH connection lost")      // retry
	ErrAuth         = errors.New("SSH login refused")        // needs another key or user
	ErrHostKey      = errors.New("SSH host key has changed") // never retried
)

// ExitError is a command that ended with a code other than 0.
type ExitError struct {
	Host    string
	Command string // empty for a secret command
	Code    int
	Signal  string // set when a signal ended it
	Stderr  string // its last 64 KiB
}

// Error names host, command and code, and ends with the last line of stderr.
func (e *ExitError) Error() string {
	what := e.Command
	if what == "" {
		what = "command"
	}
	return fmt.Sprintf("%s: %s: exit code %d", e.Host, what, e.Code)
}
