// Package engine carries out a plan: it is the only place where plan, machine, remote, state and event meet.
package engine

import (
	"context"

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

	PublicKey string // authorized_keys line of the lab's own key
	KeyFile   string // its private key
	// Forget removes what is pinned for an endpoint from known_hosts, when its machine is destroyed. It may be nil.
	Forget func(remote.Endpoint) error
}

// DefaultParallel is how many tasks run at once when Engine.Parallel is 0.
const DefaultParallel = 16
