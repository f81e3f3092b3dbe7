package guest

import "time"

// workers run processes on goroutines that are kept for a moment after one has ended: a process is short, and the stack
// that its interpreter needs would grow again for each.
type workers struct{ jobs chan func() }

func newWorkers() *workers { return &workers{jobs: make(chan func())} }

// idleWorker is how long a goroutine waits for another process.
const idleWorker = 50 * time.Millisecond

// do runs f on a goroutine that is free, or on a new one.
func (w *workers) do(f func()) {
	select {
	case w.jobs <- f:
	default:
		go w.work(f)
	}
}

func (w *workers) work(f func()) {
	f()
	idle := time.NewTimer(idleWorker)
	defer idle.Stop()
	for {
		select {
		case f := <-w.jobs:
			f()
			idle.Reset(idleWorker)
		case <-idle.C:
			return
		}
	}
}
