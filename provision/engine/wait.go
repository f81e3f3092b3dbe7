package engine

import (
	"slices"
	"strings"
	"time"

	"podium/provision/event"
	"podium/provision/plan"
)

// A job tells what it waits for, so that nobody sits in front of a silent terminal or reads a CI log that says nothing.

const (
	// mostSilence is how long a job at work may say nothing. Then it tells what it waits for.
	mostSilence = 10 * time.Second
	// A node whose services have to come back is told of earlier: it worked before, so something may be wrong.
	firstCheckNews, checkNews = 2 * time.Second, 5 * time.Second
	// mostTold is how many waits are told at a time, those first that began first.
	mostTold = 3
)

// wait is something that a job waits for.
type wait struct {
	events *events
	node   string // empty: the whole lab
	step   string
	doing  string // for what is not a task, such as halt
	since  time.Time
	last   string // the last line said about it

	urgent bool
	told   time.Time // when it was last told, if urgent
}

// waitFor notes that the job waits from now on, until over is called.
func (e *events) waitFor(w wait) *wait {
	w.events, w.since = e, time.Now()
	w.told = w.since.Add(firstCheckNews - checkNews)
	e.mu.Lock()
	e.waits = append(e.waits, &w)
	e.mu.Unlock()
	if w.doing != "" {
		e.Emit(event.Event{Kind: event.Waiting, Node: w.node, Text: w.doing})
	}
	return &w
}

// over ends the wait.
func (w *wait) over() {
	e := w.events
	e.mu.Lock()
	e.waits = slices.DeleteFunc(e.waits, func(other *wait) bool { return other == w })
	e.mu.Unlock()
	if w.doing != "" {
		e.Emit(event.Event{Kind: event.WaitOver, Node: w.node, Text: w.doing})
	}
}

// say keeps the last line about a wait, and which step it is about.
func (w *wait) say(step, text string) {
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	w.step, w.last = step, text
}

// text is what a person is told.
func (w *wait) text() string {
	last := strings.TrimPrefix(w.last, notYet)
	switch {
	case w.doing == "" || w.step != "":
		return last
	case last == "":
		return w.doing
	}
	return w.doing + ": " + last
}

// heard keeps a line about a step for the wait that it belongs to. The caller holds e.mu.
func (e *events) heard(node, step, line string) {
	for _, w := range e.waits {
		if w.node == node && w.step == step && strings.TrimSpace(line) != "" && !advice(line) {
			w.last = line
		}
	}
}

// advice reports whether a line of a check says where to look, after the line that says what is missing.
func advice(line string) bool {
	return strings.HasPrefix(line, "see: ") || strings.HasPrefix(line, "see ")
}

// heardOf keeps a line about a node that boots.
func (e *events) heardOf(node, line string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard(node, plan.StepBoot, line)
	e.heard(node, "", line)
}

// tellWaits tells once a second what is waited for and is due to be told, until stop is closed.
func (e *events) tellWaits(stop <-chan struct{}) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-second.C:
			for _, v := range e.dueWaits(now) {
				e.Emit(v)
			}
		}
	}
}

func (e *events) dueWaits(now time.Time) []event.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	silent := now.Sub(e.spoke) >= mostSilence
	var due []*wait
	for _, w := range e.waits {
		if silent || w.urgent && now.Sub(w.told) >= checkNews {
			due = append(due, w)
		}
	}
	var news []event.Event
	for _, w := range due[:min(len(due), mostTold)] {
		w.told = now
		news = append(news, event.Event{Kind: event.Waiting, Node: w.node, Step: w.step, Text: w.text(), Duration: now.Sub(w.since)})
	}
	if more := len(due) - len(news); more > 0 {
		news[len(news)-1].Tasks = more
	}
	return news
}
