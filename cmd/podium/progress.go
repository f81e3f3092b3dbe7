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
	nodes int
	done  atomic.Int64 // nodes that are finished
	bytes atomic.Int64 // copied, on all nodes
	stop  func()
}

// startProgress begins to show; stop ends it.
func (a *app) startProgress(nodes int) *progress {
	p := &progress{nodes: nodes}
	p.stop = a.showLine(func() string {
		return fmt.Sprintf("copied %s, %d of %d nodes finished", byteSize(p.bytes.Load()), p.done.Load(), p.nodes)
	})
	return p
}

// showLine draws one line on a terminal, again and again, until stop is called; then it goes away. It does not show for
// what is over in a moment.
func (a *app) showLine(text func() string) (stop func()) {
	if !a.screen.live || !isTerminal(a.Stderr) {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		drawLine(a.stderr.raw(), text, end)
	}()
	return func() {
		close(end)
		<-ended
	}
}

func drawLine(out io.Writer, text func() string, end <-chan struct{}) {
	shown := false
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			if shown {
				fmt.Fprint(out, "\r"+ansi.EraseEntireLine)
			}
			return
		case <-tick.C:
			shown = true
			fmt.Fprintf(out, "\r%s%s", ansi.EraseEntireLine, text())
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
