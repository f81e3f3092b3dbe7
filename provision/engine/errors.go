package engine

import (
	"fmt"
	"strings"
)

// Error names node and step, the reason, the last lines of output, the log and the way to go on.
func (e *TaskError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.Node, e.Step, e.Err)
	for _, line := range e.Last {
		fmt.Fprintf(&b, "\n    %s", line)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n  hint: %s", e.Hint)
	}
	if e.Log != "" {
		fmt.Fprintf(&b, "\n  log: %s", e.Log)
	}
	if e.Resume != "" {
		fmt.Fprintf(&b, "\n  resume: %s", e.Resume)
	}
	return b.String()
}

// Unwrap gives the reason.
func (e *TaskError) Unwrap() error { return e.Err }
