// Package event is the one vocabulary of progress: what the engine says while it works. The terminal, the NDJSON
// stream and the journal all show these.
package event

import "time"

// Kind says what happened.
type Kind string

// The kinds of event.
const (
	RunStarted   Kind = "run-started"   // Tasks: the steps to look at, Text: for which verb of podium
	RunFinished  Kind = "run-finished"  // Error and Duration
	TaskStarted  Kind = "task-started"  // Node, Step, Attempt, Text: why it runs
	TaskOutput   Kind = "task-output"   // Text: one line of output
	TaskRetrying Kind = "task-retrying" // Error, Attempt: the try that failed, Tries: how many there are at most, Duration: the pause
	TaskSkipped  Kind = "task-skipped"  // done already; Text: another reason
	TaskDone     Kind = "task-done"     // Duration, Facts that are not secret
	TaskFailed   Kind = "task-failed"   // Error, Text: the hint, Log
	TaskBlocked  Kind = "task-blocked"  // Text: the failed task it waits for
	Waiting      Kind = "waiting"       // Text: what is waited for, or the last line about it; Duration: since when, 0: from now on; Tasks: how many other waits there are
	WaitOver     Kind = "wait-over"     // Text: as in the Waiting that began it
	Note         Kind = "note"          // Text: progress of a long work without tasks, or a warning
)

// Event is one line of progress. Fields that do not apply are empty.
type Event struct {
	Time     time.Time         `json:"time"`
	Kind     Kind              `json:"kind"`
	Node     string            `json:"node,omitempty"`
	Step     string            `json:"step,omitempty"`
	Text     string            `json:"text,omitempty"`
	Attempt  int               `json:"attempt,omitempty"` // from 1
	Tries    int               `json:"tries,omitempty"`
	Tasks    int               `json:"tasks,omitempty"`
	Duration time.Duration     `json:"duration_ns,omitempty"`
	Error    string            `json:"error,omitempty"`
	Log      string            `json:"log,omitempty"` // path of the step's log
	Facts    map[string]string `json:"facts,omitempty"`
}

// Sink takes events. Emit may be called from many goroutines and must not block for long.
type Sink interface {
	Emit(Event)
}

// Func is a Sink made of a function.
type Func func(Event)

// Emit calls f.
func (f Func) Emit(e Event) { f(e) }
