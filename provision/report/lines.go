package report

import (
	"fmt"
	"io"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/plan"
)

// Lines is a sink that writes events as plain lines with the time of day, for a pipe, a CI log or a terminal that
// cannot be redrawn. Tasks that were done before stay silent; verbose adds every line of output.
func Lines(w io.Writer, verbose bool) event.Sink {
	var mu sync.Mutex
	return event.Func(func(e event.Event) {
		text := Line(e, verbose)
		if text == "" {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "%s  %s\n", e.Time.Local().Format("15:04:05"), text)
	})
}

// Line is the text of an event on one line, without the time; empty for an event that says nothing.
func Line(e event.Event, verbose bool) string {
	switch e.Kind {
	case event.RunStarted:
		return count(e.Tasks, "step") + " to look at"
	case event.TaskStarted:
		why := ""
		if e.Text != "" {
			why = ": " + Clean(e.Text)
		}
		if e.Attempt > 1 {
			return fmt.Sprintf("%s  started again (attempt %d)%s", task(e), e.Attempt, why)
		}
		return fmt.Sprintf("%s  started%s", task(e), why)
	case event.TaskOutput:
		if !verbose {
			return ""
		}
		return fmt.Sprintf("%s  | %s", task(e), Clean(e.Text))
	case event.TaskRetrying:
		return fmt.Sprintf("%s  failed; try %d of %d in %s: %s", task(e), e.Attempt+1, e.Tries, Duration(e.Duration), Clean(e.Error))
	case event.TaskDone:
		return fmt.Sprintf("%s  done in %s", task(e), Duration(e.Duration))
	case event.TaskFailed:
		return fmt.Sprintf("%s  FAILED after %s: %s", task(e), Duration(e.Duration), firstLineOf(e.Error))
	case event.TaskBlocked:
		return fmt.Sprintf("%s  not run: %s", task(e), Clean(e.Text))
	case event.Waiting:
		return waiting(e)
	case event.Note:
		if e.Node == "" {
			return Clean(e.Text)
		}
		return fmt.Sprintf("%s  %s", task(e), Clean(e.Text))
	case event.TaskSkipped:
		switch {
		case e.Step == plan.StepBoot:
			return task(e) + "  runs already"
		case e.Text != "":
			return task(e) + "  " + Clean(e.Text)
		case verbose:
			return task(e) + "  done before"
		}
	}
	return ""
}

// waiting tells of a wait that lasts; of one that begins, nothing.
func waiting(e event.Event) string {
	if e.Duration == 0 {
		return ""
	}
	text := "still waiting after " + Duration(e.Duration.Truncate(time.Second))
	if e.Text != "" {
		text += ": " + Clean(e.Text)
	}
	if e.Tasks > 0 {
		text += fmt.Sprintf(" (and %d more)", e.Tasks)
	}
	if e.Node != "" {
		text = task(e) + "  " + text
	}
	return text
}

// task names the event's task, wide enough for most names to keep the texts in one column.
func task(e event.Event) string {
	name := e.Node
	if e.Step != "" {
		name += "/" + e.Step
	}
	return fmt.Sprintf("%-24s", name)
}

func firstLineOf(s string) string { return firstLine(fmt.Errorf("%s", s)) }
