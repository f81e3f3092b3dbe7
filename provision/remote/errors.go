package remote

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Errors that callers tell apart by errors.Is. Every error of this package is wrapped in one of them, is an
// *ExitError, the end of the caller's ctx, or a plain mistake in what was asked (fs.ErrNotExist and fs.ErrPermission
// for files).
var (
	ErrUnreachable  = errors.New("no SSH answer")                   // retry: the machine may still boot
	ErrDisconnected = errors.New("SSH connection lost")             // retry
	ErrAuth         = errors.New("SSH login refused")               // needs another key or user
	ErrHostKey      = errors.New("SSH host key has changed")        // never retried
	ErrSudo         = errors.New("sudo does not work")              // never retried; an *ExitError is in the chain too
	ErrNoSpace      = errors.New("no space left")                   // never retried
	ErrChecksum     = errors.New("file arrived damaged")            // retry
	ErrSessions     = errors.New("sshd refuses to open a session")  // never retried: MaxSessions 0 or a forced command
	ErrNoSFTP       = errors.New("sshd has no working SFTP server") // never retried
	ErrLeft         = errors.New("ended from this side (~.)")       // the user ended an interactive session from this side
)

// ExitError is a command that ended with a code other than 0.
type ExitError struct {
	Host    string
	Command string // empty for a secret command
	Code    int    // 128 plus the signal's number when a signal ended it
	Signal  string // set when a signal ended it: TERM, KILL, ...
	Stderr  string // its last 64 KiB
}

// Error names host, command and code, and ends with the last line of stderr.
func (e *ExitError) Error() string {
	what := shorten(e.Command, 120)
	if what == "" {
		what = "command"
	}
	text := fmt.Sprintf("%s: %s: exit code %d", e.Host, what, e.Code)
	if e.Signal != "" {
		text = fmt.Sprintf("%s: %s: ended by signal %s", e.Host, what, e.Signal)
	}
	if last := lastLine(e.Stderr); last != "" {
		text += ": " + last
	}
	return text
}

// UnreachableError is a node whose sshd did not answer in time. It is ErrUnreachable.
type UnreachableError struct {
	Node    string
	Address string // host:port
	Tries   int
	Waited  time.Duration
	Cause   error // of the last try
}

// Error says how long it was tried, why the last try failed and what to look at.
func (e *UnreachableError) Error() string {
	tries := "1 try"
	if e.Tries != 1 {
		tries = fmt.Sprintf("%d tries", e.Tries)
	}
	return fmt.Sprintf("%s: %v from %s in %s (%s): %v: %s",
		e.Node, ErrUnreachable, e.Address, e.Waited.Round(100*time.Millisecond), tries, e.Cause, unreachableHint(e.Cause))
}

// Unwrap gives ErrUnreachable and the last cause.
func (e *UnreachableError) Unwrap() []error { return []error{ErrUnreachable, e.Cause} }

// HostKeyError is a node that shows another host key than the pinned one. It is ErrHostKey.
type HostKeyError struct {
	Node   string
	Pinned []string // SHA256 fingerprints with key type, "ssh-ed25519 SHA256:..."
	Shown  string   // of the key the node offers now
	File   string   // known_hosts file; empty when the key came with the Endpoint
	Line   int      // in File, from 1
}

// Error shows both fingerprints, and the line to remove when the change is meant.
func (e *HostKeyError) Error() string {
	fix := "that is not the machine its provider made: look who answers at its address"
	if e.File != "" {
		fix = fmt.Sprintf("if the machine was recreated, remove line %d of %s; otherwise somebody else answers at its address", e.Line, e.File)
	}
	return fmt.Sprintf("%s: %v: pinned %s, but it shows %s: %s", e.Node, ErrHostKey, strings.Join(e.Pinned, " or "), e.Shown, fix)
}

// Unwrap gives ErrHostKey.
func (e *HostKeyError) Unwrap() error { return ErrHostKey }

// opError says on which node what failed. The node's name is not said twice.
type opError struct {
	node, what string
	err        error
}

func (e *opError) Error() string {
	text := e.node + ": "
	if e.what != "" {
		text += e.what + ": "
	}
	return text + strings.TrimPrefix(e.err.Error(), e.node+": ")
}

func (e *opError) Unwrap() error { return e.err }

// shorten cuts text to its first line and at most limit runes, for messages.
func shorten(text string, limit int) string {
	first, _, more := strings.Cut(strings.TrimSpace(text), "\n")
	if utf8.RuneCountInString(first) > limit {
		first, more = string([]rune(first)[:limit]), true
	}
	if more {
		first = strings.TrimRight(first, " ") + " ..."
	}
	return first
}

// lastLine is the last line of text that is not blank, shortened.
func lastLine(text string) string {
	text = strings.TrimRight(text, " \t\r\n")
	if i := strings.LastIndexAny(text, "\n\r"); i >= 0 {
		text = text[i+1:]
	}
	return shorten(strings.ToValidUTF8(text, "\uFFFD"), 300)
}
