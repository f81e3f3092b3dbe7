package remote

import (
	"io"
	"sync"
	"sync/atomic"
)

// gate passes writes on until it is shut, so that nothing is written to a caller's writer after the call has
// returned. A writer that fails is not written to again; the rest of the output is thrown away, lest the command
// block.
type gate struct {
	w      io.Writer
	broken func(error) // told once, of the first failed write

	mu      sync.Mutex
	closed  bool
	passed  atomic.Int64
	writing atomic.Bool
}

// Write never fails.
func (g *gate) Write(p []byte) (int, error) {
	g.writing.Store(true)
	defer g.writing.Store(false)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.passed.Add(int64(len(p)))
	if g.closed {
		return len(p), nil
	}
	if _, err := g.w.Write(p); err != nil {
		g.closed = true
		g.broken(err)
	}
	return len(p), nil
}

// shut waits for a write under way and lets no further one through.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func (g *gate) count() int64 { return g.passed.Load() }
func (g *gate) busy() bool   { return g.writing.Load() }
