package state

import (
	"errors"
	"sync"
	"time"
)

// Record is a State that changes while a run goes on. It is saved behind the run's back: soon after each change, but so
// that saving takes no more than a tenth of the time, whatever the size of the lab.
type Record struct {
	dir *Dir

	saving sync.Mutex // held from encoding to writing, so that an older state never overwrites a newer one

	mu    sync.Mutex
	state State
	err   error // of the last save

	dirty chan struct{} // holds one token when there is something to save
	stop  chan struct{}
	ended chan struct{}
}

// Record starts with s. The caller calls Close, which ends the saving.
func (d *Dir) Record(s State) *Record {
	s.fill()
	r := &Record{dir: d, state: s, dirty: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{})}
	go r.keepSaving()
	return r
}

// Update changes the state. change must not keep the pointer.
func (r *Record) Update(change func(*State)) {
	r.mu.Lock()
	change(&r.state)
	r.mu.Unlock()
	select {
	case r.dirty <- struct{}{}:
	default: // a save is due anyway
	}
}

// View lets look read the state. It must neither change it nor keep any of its maps.
func (r *Record) View(look func(State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	look(r.state)
}

// Save saves now and returns when the state is on the disk.
func (r *Record) Save() error {
	r.saving.Lock()
	defer r.saving.Unlock()
	r.mu.Lock()
	text, err := encode(r.state)
	r.mu.Unlock()
	if err == nil {
		err = r.dir.saveText(text)
	}
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	return err
}

// Close saves what is not saved yet and ends the saving. Its error is that of the last save.
func (r *Record) Close() error {
	select {
	case <-r.stop:
		return errors.New("state record closed twice")
	default:
	}
	close(r.stop)
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Record) keepSaving() {
	defer close(r.ended)
	for {
		select {
		case <-r.dirty:
		case <-r.stop:
			select {
			case <-r.dirty:
				_ = r.Save() // Close gives the error
			default:
			}
			return
		}
		start := time.Now()
		_ = r.Save() // Close gives the error
		pause := time.NewTimer(9 * time.Since(start))
		select {
		case <-pause.C:
		case <-r.stop:
			pause.Stop()
		}
	}
}
