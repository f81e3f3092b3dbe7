package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"podium/provision/machine"
	"podium/provision/remote"
	"podium/provision/state"
)

// away is what is known of a lab whose nodes do not answer. It is found out once, however many nodes there are.
type away struct {
	once   sync.Once
	holder *state.Holder
	states map[string]machine.State
}

// find asks who is at work on the lab and how its machines are. A provider that cannot be asked adds nothing.
func (w *away) find(ctx context.Context, a *app, b *labSession) {
	w.holder = b.state.Holder()
	provider, err := a.provider(b)
	if err == nil {
		w.states, err = provider.Status(ctx)
	}
	if err != nil {
		a.log.Debug("ask how the machines are", "error", err)
	}
}

// explain says why a node does not answer: another podium is at work on it, or its machine does not run. Otherwise err is all
// there is to say.
func (a *app) explain(ctx context.Context, b *labSession, name string, err error) error {
	if !errors.Is(err, remote.ErrUnreachable) && !errors.Is(err, errNeverUp) {
		return err
	}
	b.away.once.Do(func() { b.away.find(ctx, a, b) })
	is, listed := b.away.states[name]
	switch {
	case b.away.holder != nil:
		return fmt.Errorf("%s: not ready: %s: wait until it ends", name, b.away.holder.AtWork())
	case is == machine.Stopped:
		return fmt.Errorf("%s: halted: start it with podium up%s", name, b.arg)
	case is == machine.Missing, !listed && b.away.states != nil:
		return fmt.Errorf("%s: has no machine: make it with podium up%s", name, b.arg)
	}
	return err
}

// errNeverUp is a node that no up has reached yet.
var errNeverUp = errors.New("it never came up")
