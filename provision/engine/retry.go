package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"podium/provision/remote"
)

// Retry says how often a step is tried, and how long the pauses are. Only these failures are worth another try: a lost
// connection, a node that went down in the middle, and a script that ends with the code 75 (EX_TEMPFAIL of sysexits.h),
// by which it says that the same later may work. Whatever else a script ends with, a refused login and a changed host
// key are final.
type Retry struct {
	Tries int           // at most, the first included
	First time.Duration // pause before the second; each further one is twice as long
	Most  time.Duration // no pause is longer
}

// DefaultRetry is what an Engine does unless told otherwise: six tries within about a minute of pauses.
func DefaultRetry() Retry { return Retry{Tries: 6, First: 2 * time.Second, Most: 30 * time.Second} }

// exitTemporary is EX_TEMPFAIL.
const exitTemporary = 75

// pause is how long to wait after the given number of tries: up to a quarter more or less than the rule, so that nodes that
// failed together do not all come back together.
func (r Retry) pause(tries int) time.Duration {
	p := r.First
	for range tries - 1 {
		p = min(2*p, r.Most)
	}
	return time.Duration(float64(p) * (0.75 + 0.5*rand.Float64()))
}

// sleep waits, or returns the reason why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// downError is a step that failed while its node was shutting down.
type downError struct{ err error }

func (e *downError) Error() string { return "the node is shutting down: " + e.err.Error() }
func (e *downError) Unwrap() error { return e.err }

// ScriptError is a script that ran on a node and failed. Its Unwrap gives the *remote.ExitError.
type ScriptError struct {
	Script string // name of the file
	Probe  bool   // the script itself ended well, the step's check did not
	Code   int
	Err    error
}

// Error names the script and its exit code.
func (e *ScriptError) Error() string {
	switch {
	case e.Probe:
		return fmt.Sprintf("%s ended well, but the step's check never did", e.Script)
	case e.Code == exitTemporary:
		return fmt.Sprintf("%s: exit code %d: it says that trying again later may help", e.Script, e.Code)
	}
	return fmt.Sprintf("%s: exit code %d", e.Script, e.Code)
}

// Unwrap gives the error of the session.
func (e *ScriptError) Unwrap() error { return e.Err }

// whyAgain says why a step is tried again. A script that asks for that says on its last lines what keeps it, and what can be
// done about it: that is worth more to somebody who waits than its exit code.
func whyAgain(err error, last []string) string {
	script, ok := errors.AsType[*ScriptError](err)
	if !ok || script.Code != exitTemporary || len(last) == 0 {
		return err.Error()
	}
	return script.Script + ": " + strings.Join(last[max(0, len(last)-2):], "; ")
}

// TimeoutError is a step that was ended because it took longer than it may.
type TimeoutError struct {
	Script string
	Probe  bool // the script itself ended well in time
	After  time.Duration
}

// Error says what did not end.
func (e *TimeoutError) Error() string {
	if e.Probe {
		return fmt.Sprintf("%s ended well, but the step's check did not within %v", e.Script, e.After)
	}
	return fmt.Sprintf("%s did not end within %v", e.Script, e.After)
}

// Timeout is true, as for errors of package net.
func (e *TimeoutError) Timeout() bool { return true }

// worthRetry reports whether the same again may end differently.
func worthRetry(err error) bool {
	if errors.Is(err, remote.ErrUnreachable) {
		return false // the caller has waited long enough
	}
	if script, ok := errors.AsType[*ScriptError](err); ok && !script.Probe && script.Code == exitTemporary {
		return true
	}
	_, down := errors.AsType[*downError](err)
	return down || remote.Classify(err) == remote.Retry
}
