package engine

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/event"
	"podium/provision/folder"
	"podium/provision/state"
)

// events passes events on to those who watch, and to the journal all but the output of steps, which is in their logs.
type events struct {
	sink    event.Sink // nil: nobody watches
	journal *state.Journal

	mu    sync.Mutex
	err   error // of the journal's first failed write
	waits []*wait
	spoke time.Time // when the last event was told that is not a step's output

	stop, stopped chan struct{} // of telling what is waited for
}

func (e *Engine) openEvents() (*events, error) {
	journal, err := e.Dir.OpenJournal()
	if err != nil {
		return nil, err
	}
	v := &events{sink: e.Sink, journal: journal, spoke: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(v.stopped)
		v.tellWaits(v.stop)
	}()
	return v, nil
}

// Emit takes an event; a zero time becomes now.
func (e *events) Emit(v event.Event) {
	if v.Time.IsZero() {
		v.Time = time.Now()
	}
	var journalErr error
	if v.Kind != event.TaskOutput {
		// The journal of a run that frees space on a full disk has gaps. The run goes on.
		if err := e.journal.Append(v); !folder.IsFull(err) {
			journalErr = err
		}
	}
	e.mu.Lock()
	e.err = errors.Join(e.err, journalErr)
	switch v.Kind {
	case event.TaskOutput:
		e.heard(v.Node, v.Step, v.Text)
	case event.TaskRetrying:
		e.heard(v.Node, v.Step, v.Error)
		fallthrough
	default:
		e.spoke = v.Time
	}
	e.mu.Unlock()
	if e.sink != nil {
		e.sink.Emit(v)
	}
}

// close closes the journal and says whether it is whole.
func (e *events) close() error {
	close(e.stop)
	<-e.stopped
	err := e.journal.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.err, err)
}

// logger is the engine's logger, or one that is silent.
func (e *Engine) logger() hclog.Logger {
	if e.Log == nil {
		return hclog.NewNullLogger()
	}
	return e.Log
}
