package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"podium/provision/event"
	"podium/provision/report"
	"podium/provision/state"
)

// failedTask is a task that failed in the last up that reached it.
type failedTask struct {
	Step  string    `json:"step"`
	Error string    `json:"error"`
	Hint  string    `json:"hint,omitempty"`
	Log   string    `json:"log,omitempty"`
	Time  time.Time `json:"time"`
}

// lastUp is what the journal tells of the runs of up: which tasks failed and have not ended well since, and how the last run
// ended when not by tasks.
type lastUp struct {
	failed  map[string]failedTask // by node, the first of each
	started time.Time             // of a run that did not end well although no task failed; zero: none
	why     string                // why it ended; empty: it was killed
}

// readLastUp reads the journal. One that cannot be read tells nothing, since status has better sources for all else.
func readLastUp(d *state.Dir) lastUp {
	u := lastUp{failed: map[string]failedTask{}}
	verb := ""
	for line, err := range d.ReadJournal() {
		if err != nil {
			return u
		}
		var e event.Event
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		if e.Kind == event.RunStarted {
			verb = e.Text
		}
		if verb != "repair" {
			u.take(e)
		}
	}
	return u
}

func (u *lastUp) take(e event.Event) {
	switch e.Kind {
	case event.RunStarted:
		u.started, u.why = e.Time, ""
	case event.RunFinished:
		u.why = firstLine(e.Error)
		if strings.HasSuffix(e.Error, context.Canceled.Error()) { // the journal has only the text
			u.why = "it was interrupted"
		}
		if e.Error == "" {
			clear(u.failed)
		}
		if e.Error == "" || len(u.failed) > 0 {
			u.started = time.Time{}
		}
	case event.TaskFailed:
		if _, already := u.failed[e.Node]; !already {
			u.failed[e.Node] = failedTask{Step: e.Step, Error: firstLine(e.Error), Hint: e.Text, Log: e.Log, Time: e.Time}
		}
	case event.TaskStarted, event.TaskDone, event.TaskSkipped:
		if u.failed[e.Node].Step == e.Step {
			delete(u.failed, e.Node)
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return report.Clean(line)
}
