package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// progress shows how far copying is, on a terminal, in one line that goes away at the end.
type progress struct {
	out   io.Writer
	nodes int
	done  atomic.Int64 // nodes that are finished
	bytes atomic.Int64 // copied, on all nodes
	end   chan struct{}
	ended chan struct{}
}

// startProgress begins to show; stop ends it.
func (a *app) startProgress(nodes int) *progress {
	p := &progress{out: a.stderr, nodes: nodes, end: make(chan struct{}), ended: make(chan struct{})}
	if !a.screen.live || !isTerminal(a.Stderr) {
		close(p.ended)
		return p
	}
	go p.show()
	return p
}

func (p *progress) stop() {
	close(p.end)
	<-p.ended
}

// show draws the line, but not for copies that are over in a moment.
func (p *progress) show() {
	defer close(p.ended)
	shown := false
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.end:
			if shown {
				fmt.Fprint(p.out, "\r"+ansi.EraseEntireLine)
			}
			return
		case <-tick.C:
			shown = true
			fmt.Fprintf(p.out, "\r%scopied %s, %d of %d nodes finished", ansi.EraseEntireLine, byteSize(p.bytes.Load()), p.done.Load(), p.nodes)
		}
	}
}

func (p *progress) node() { p.done.Add(1) }

// file gives the function that is told the bytes of one file.
func (p *progress) file() func(int64) {
	var before int64
	return func(now int64) {
		p.bytes.Add(now - before)
		before = now
	}
}

// tree gives the function that is told the bytes of a folder, from many goroutines.
func (p *progress) tree() func(done, total int64) {
	var before atomic.Int64
	return func(done, _ int64) {
		p.bytes.Add(done - before.Swap(done))
	}
}

// byteSize writes a number of bytes for people.
func byteSize(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, names := float64(n)/unit, "KMGT"
	i := 0
	for size >= unit && i < len(names)-1 {
		size /= unit
		i++
	}
	return fmt.Sprintf("%.1f %ciB", size, names[i])
}
