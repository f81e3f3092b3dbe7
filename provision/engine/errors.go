package engine

import (
	"errors"
	"fmt"
	"strings"

	"podium/provision/plan"
)

// Errors that callers tell apart by errors.Is.
var (
	ErrOtherProvider = errors.New("the lab's machines were made by another provider")
	ErrNoMachines    = errors.New("the lab has no machines")
	ErrNoSuchStep    = errors.New("the plan has no such step")
)

// TaskError is a task that failed. It carries what a person needs to go on.
type TaskError struct {
	ID     plan.TaskID
	Node   string
	Step   string
	Hint   string   // where to look
	Last   []string // the last lines of its output, without secrets
	Log    string   // path; empty: it wrote none
	Resume string   // the command that goes on from here
	Err    error
}

// Error names node and step, the reason, the last lines of output, the log and the way to go on.
func (e *TaskError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.Node, e.Step, e.Err)
	for _, line := range e.Last {
		fmt.Fprintf(&b, "\n    %s", line)
	}
	for _, more := range []struct{ name, text string }{{"hint", e.Hint}, {"log", e.Log}, {"resume", e.Resume}} {
		if more.text != "" {
			fmt.Fprintf(&b, "\n  %s: %s", more.name, more.text)
		}
	}
	return b.String()
}

// Unwrap gives the reason.
func (e *TaskError) Unwrap() error { return e.Err }

// RunError is a run in which tasks failed. errors.Is and errors.As reach every failure and its cause.
type RunError struct {
	Failures []*TaskError // in the plan's order
	Blocked  int          // tasks that were not tried because they come after a failed one
}

// Error lists every failure.
func (e *RunError) Error() string {
	var b strings.Builder
	switch len(e.Failures) {
	case 1:
		b.WriteString("1 step failed")
	default:
		fmt.Fprintf(&b, "%d steps failed", len(e.Failures))
	}
	if e.Blocked > 0 {
		fmt.Fprintf(&b, ", %d wait for them", e.Blocked)
	}
	b.WriteString("; the machines are kept")
	for _, f := range e.Failures {
		b.WriteString("\n" + f.Error())
	}
	return b.String()
}

// Unwrap gives the failures.
func (e *RunError) Unwrap() []error {
	list := make([]error, len(e.Failures))
	for i, f := range e.Failures {
		list[i] = f
	}
	return list
}
