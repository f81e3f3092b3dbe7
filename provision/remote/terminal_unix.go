//go:build !windows

package remote

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// makeRaw gives every key to the node, and a function that undoes it.
func makeRaw(o TerminalOptions) (restore func(), err error) {
	fd := int(o.In.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(fd, before) }, nil
}

// keys are what the user types.
type keys struct{ cancelreader.CancelReader }

func openKeys(in *os.File) (*keys, error) {
	r, err := cancelreader.NewReader(in)
	if err != nil {
		return nil, err
	}
	return &keys{r}, nil
}

// end stops a Read that waits, so that no key typed later is swallowed, and waits for its goroutine.
func (k *keys) end(done <-chan struct{}) {
	k.Cancel()
	select {
	case <-done:
		_ = k.Close()
	case <-time.After(pumpEnd):
	}
}

// watchSize calls changed for every new size of the window.
func watchSize(o TerminalOptions, changed func(size)) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH)
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-signals:
				changed(windowSize(o))
			case <-end:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(end)
		<-done
	}
}
