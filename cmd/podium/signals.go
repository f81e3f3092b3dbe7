package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// errInterrupted is the cause of a context that Ctrl-C, SIGTERM or SIGHUP ended.
var errInterrupted = errors.New("interrupted")

// interrupts turns the first Ctrl-C into a cancelled context and the second into the end of the process.
type interrupts struct {
	cancel  context.CancelCauseFunc
	exit    func(int)
	say     func(format string, args ...any)
	restore atomic.Pointer[func()] // puts the terminal right before the process leaves at once
	seen    atomic.Int32
}

// interrupt is one Ctrl-C, from a signal or from a key in a raw terminal.
func (i *interrupts) interrupt() {
	if i.seen.Add(1) == 1 {
		i.say("stopping; press Ctrl-C again to leave at once")
		i.cancel(errInterrupted)
		return
	}
	if restore := i.restore.Load(); restore != nil {
		(*restore)()
	}
	i.exit(exitInterrupted)
}

// listen starts to take the process's signals and returns how to stop. Signals that the process was told to
// ignore (nohup, a background job) stay ignored.
func (i *interrupts) listen() (stop func()) {
	signals := make(chan os.Signal, 4)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	ignoreBrokenPipes()
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
				i.interrupt()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}
