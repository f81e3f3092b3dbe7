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

// unfinishedUp is the last run of up when it did not end well although no task of it failed: somebody stopped it, or what
// comes before or after the tasks went wrong. The state has the tasks that failed.
type unfinishedUp struct {
	started time.Time // zero: there is none
	why     string    // empty: it was killed
}

// lastUp reads the journal. One that cannot be read tells nothing.
func lastUp(d *state.Dir) unfinishedUp {
	var last unfinishedUp
	verb, failed := "", false
	for line, err := range d.ReadJournal() {
		var e event.Event
		if err != nil || json.Unmarshal(line, &e) != nil {
			continue
		}
		if e.Kind == event.RunStarted {
			verb, failed = e.Text, false
		}
		switch {
		case verb == "repair":
		case e.Kind == event.RunStarted:
			last = unfinishedUp{started: e.Time}
		case e.Kind == event.TaskFailed:
			failed = true
		case e.Kind == event.RunFinished && (e.Error == "" || failed):
			last = unfinishedUp{}
		case e.Kind == event.RunFinished && strings.HasSuffix(e.Error, context.Canceled.Error()): // the journal has only the text
			last.why = "it was interrupted"
		case e.Kind == event.RunFinished:
			last.why = firstLine(e.Error)
		}
	}
	return last
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return report.Clean(line)
}
