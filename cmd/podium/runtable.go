package main

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"podium/provision/event"
	"podium/provision/plan"
	"podium/provision/report"
)

// runTable is what the live view knows of a run: one row for each node, kept up to date by events. It is a sink.
type runTable struct {
	mu      sync.Mutex
	rows    []*row
	byNode  map[string]*row
	maybe   map[plan.TaskID]bool // conditional tasks that have not started: they count when they do
	steps   int                  // of the whole lab, the boots of machines aside
	done    int                  // now or before
	failed  int
	started time.Time
	lines   []line // to be printed above the view, once
	notice  string // what the run as a whole is at, such as a download
	noticed time.Time
}

// line is a line above the view.
type line struct {
	text     string
	repeated bool // the summary at the end says it again
}

// row is a node in the table.
type row struct {
	node    string
	steps   int
	done    int           // now or before
	blocked int           // will not run any more
	failed  string        // first task that failed
	why     string        // its error
	running []runningTask // oldest first
	last    string        // last line of output
	spent   time.Duration // until its last task ended, from the start of the run
}

// runningTask is a step at work.
type runningTask struct {
	step    string
	started time.Time
	retry   bool
}

// newRunTable takes nodes and the number of their steps from the plan.
func newRunTable(p plan.Plan, now time.Time) *runTable {
	b := &runTable{byNode: map[string]*row{}, maybe: map[plan.TaskID]bool{}, started: now}
	for _, m := range p.Machines {
		b.row(m.Name)
	}
	for _, t := range p.Tasks {
		switch {
		case t.Conditional():
			b.maybe[t.ID] = true
		case t.Step != plan.StepBoot:
			b.row(t.Node).steps++
			b.steps++
		}
	}
	return b
}

// counts reports whether an event is about a step that is counted. A conditional one is from its start on.
func (b *runTable) counts(r *row, e event.Event) bool {
	id := plan.TaskID(e.Node + "/" + e.Step)
	if b.maybe[id] && e.Kind == event.TaskStarted {
		delete(b.maybe, id)
		r.steps++
		b.steps++
	}
	return e.Step != plan.StepBoot && !b.maybe[id]
}

func (b *runTable) row(node string) *row {
	r := b.byNode[node]
	if r == nil {
		r = &row{node: node}
		b.byNode[node] = r
		b.rows = append(b.rows, r)
	}
	return r
}

// Emit takes an event. It only changes memory, so that work never waits for the terminal.
func (b *runTable) Emit(e event.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Node == "" {
		b.emitRun(e)
		return
	}
	r := b.byNode[e.Node]
	if r == nil {
		r = &row{node: e.Node} // not in the plan: without a row, so that the view keeps its height
	}
	counts := b.counts(r, e)
	switch e.Kind {
	case event.TaskStarted:
		r.stop(e.Step)
		r.running = append(r.running, runningTask{step: e.Step, started: e.Time})
		r.last = ""
	case event.TaskOutput:
		if text := report.Clean(e.Text); text != "" {
			r.last = text
		}
	case event.TaskRetrying:
		r.stop(e.Step)
		r.running = append(r.running, runningTask{step: e.Step, started: e.Time, retry: true})
		r.last = report.Clean(e.Error)
		b.lines = append(b.lines, line{text: report.Line(e, false)})
	case event.TaskDone, event.TaskSkipped:
		b.end(r, e)
		if counts {
			r.done++
			b.done++
		}
	case event.TaskBlocked:
		b.end(r, e)
		if counts {
			r.blocked++
		}
	case event.TaskFailed:
		b.end(r, e)
		b.failed++
		if r.failed == "" {
			r.failed, r.why = e.Step, report.Clean(e.Error)
		}
		b.lines = append(b.lines, line{text: report.Line(e, false), repeated: true})
	case event.Waiting:
		if e.Duration == 0 { // not a task, such as a halt for the first snapshot
			r.running = append(r.running, runningTask{step: e.Text, started: e.Time})
			r.last = ""
		} else if r.last = report.Clean(e.Text); e.Step != "" && !r.runs(e.Step) {
			r.last = e.Step + ": " + r.last
		}
	case event.WaitOver:
		r.stop(e.Text)
		r.last = ""
	case event.Note:
		if !b.planned(r) {
			b.lines = append(b.lines, line{text: report.Line(e, false)}) // a machine that lab.yaml has no more
			return
		}
		r.last = report.Clean(e.Text)
	}
}

// planned reports whether a row is one of the plan's.
func (b *runTable) planned(r *row) bool { return b.byNode[r.node] != nil }

func (b *runTable) emitRun(e event.Event) {
	text := report.Clean(e.Text)
	switch {
	case e.Kind == event.Waiting && e.Duration > 0:
		b.notice, b.noticed = report.Line(e, false), e.Time
		return
	case e.Kind != event.Note:
		return
	}
	if withoutDigits(text) != withoutDigits(b.notice) { // not just the same download a little further
		b.lines = append(b.lines, line{text: text})
	}
	b.notice, b.noticed = text, e.Time
}

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
}

func (b *runTable) end(r *row, e event.Event) {
	r.stop(e.Step)
	r.last = ""
	if e.Kind == event.TaskDone || e.Kind == event.TaskFailed {
		r.spent = e.Time.Sub(b.started)
	}
}

func (r *row) runs(step string) bool {
	return slices.ContainsFunc(r.running, func(t runningTask) bool { return t.step == step })
}

func (r *row) stop(step string) {
	for i, t := range r.running {
		if t.step == step {
			r.running = append(r.running[:i:i], r.running[i+1:]...)
			return
		}
	}
}

// print queues a line to be shown above the view.
func (b *runTable) print(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line{text: text})
}

// take hands out the lines to be printed above the view.
func (b *runTable) take() []line {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := b.lines
	b.lines = nil
	return lines
}
