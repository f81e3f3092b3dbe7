// Package engine carries out a plan: it is the only place where plan, machine, remote, state and event meet.
package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/event"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// Dialer connects to nodes. Dial waits, with backoff, until the node's sshd answers or its own deadline is over;
// *remote.Dialer is one.
type Dialer interface {
	Dial(ctx context.Context, e remote.Endpoint) (remote.Host, error)
}

// Engine works on one lab. Fill the fields before the first call and leave them alone after. Calls that change the
// lab expect the caller to hold Dir.Lock.
//
// Up and Changes need Plan; everything else works from Dir alone, so that a lab whose lab.yaml is broken or gone can
// still be looked at, halted and destroyed.
type Engine struct {
	Plan     plan.Plan
	Provider machine.Provider
	Dialer   Dialer
	Dir      *state.Dir
	Sink     event.Sink   // nil: nobody watches
	Log      hclog.Logger // nil: silent
	Parallel int          // tasks at once, boots included; 0: DefaultParallel
	Retry    Retry        // zero: DefaultRetry

	LabArg    string // what a person writes after a verb to mean this lab: " labs/docker"; empty: nothing
	PublicKey string // authorized_keys line of the lab's own key
	KeyFile   string // its private key
	// Forget removes the host keys pinned for an endpoint's node (remote.Dialer.Forget). It is called when a machine has
	// been destroyed, and before one is made. It may be nil.
	Forget func(remote.Endpoint) error

	// AskTimeout is how long a node that is only looked at may take to answer; 0: askDeadline.
	AskTimeout time.Duration
}

// DefaultParallel is how many tasks run at once when Engine.Parallel is 0.
const DefaultParallel = 16

// node makes the engine's view of a machine, not connected yet.
func (e *Engine) node(name string, s nodeScripts) *node {
	return &node{name: name, provider: e.Provider, dialer: e.Dialer, log: e.logger(), scripts: s, gate: make(chan struct{}, 1)}
}

// otherProvider refuses to work on a lab whose machines somebody else made.
func otherProvider(s state.State, provider string) error {
	if s.Provider == "" || s.Provider == provider {
		return nil
	}
	var made []string
	for name, m := range s.Machines {
		if m.Made {
			made = append(made, name)
		}
	}
	if len(made) == 0 {
		return nil
	}
	slices.Sort(made)
	return fmt.Errorf("%w: %s has %s, the description now says %s: destroy the lab first, or go back to %s",
		ErrOtherProvider, s.Provider, strings.Join(made, ", "), provider, s.Provider)
}
