package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"podium/provision/engine"
	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// labSession is what a verb works with on one lab.
type labSession struct {
	labRef
	known  state.State
	lab    lab.Lab
	plan   plan.Plan  // empty unless the description was read
	wanted *plan.Plan // of the description as it is now, where the one of the last up counts; nil: it cannot be read
	engine *engine.Engine
	dialer *remote.Dialer
	away   away

	simFile      string // boot times and faults for the simulator
	bootParallel int    // machines that Vagrant boots at once; 0: by this computer's cores and memory
	fastBoot     bool
}

// ownKey makes the lab's own key pair if there is none yet, and tells the engine its public half.
func (b *labSession) ownKey() error {
	path := b.state.Path(keyName)
	if err := b.state.Make(); err != nil {
		return fmt.Errorf("make the lab's key: %w", err)
	}
	if err := remote.GenerateKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the lab's key: %w", err)
	}
	public, err := remote.PublicKey(path)
	if err != nil {
		return fmt.Errorf("read the lab's key: %w", err)
	}
	b.engine.PublicKey = public
	return nil
}

// keyName is the lab's own private key in .podium.
const keyName = state.KeyName

// appliedName is the description of the last up in .podium.
const appliedName = "applied.yaml"

// maxApplied bounds what is read of it, in bytes: it spells out the defaults of the largest lab.yaml.
const maxApplied = 16 << 20

// described opens a lab by its description: for up and plan. A lab that exists keeps the provider that made it.
func (a *app) described(where labRef, provider string) (*labSession, error) {
	known, err := where.state.Load()
	if err != nil {
		return nil, err
	}
	if made := madeBy(known); made != "" {
		switch provider {
		case "", made:
			provider = made
		default:
			return nil, usage("this lab was made with provider %s, so it cannot be changed with %s", made, provider).
				hinted("remove it first: podium destroy%s", where.arg)
		}
	}
	if provider == "" && !where.state.HasState() {
		provider = lastProvider(where)
	}
	p, err := a.describe(where, provider)
	if err != nil {
		return nil, err
	}
	if madeBy(known) != "" && known.Lab != "" && known.Lab != p.Lab.Name {
		return nil, usage("%s describes the lab %q, but the one made from this folder is called %q", where.file, p.Lab.Name, known.Lab).
			hinted("keep the name, or give the other lab a folder of its own without %s (podium destroy%s would remove the machines of %q for good)",
				state.DirName, where.arg, known.Lab)
	}
	return &labSession{labRef: where, known: known, lab: p.Lab, plan: p}, nil
}

// lastProvider is the provider of the last up where only its description is left of it: state.json was lost or moved
// away, as podium advises when it is broken. The machines may still be there.
func lastProvider(where labRef) string {
	text, err := where.state.Files().Read(appliedName, maxApplied)
	if err != nil {
		return ""
	}
	l, _, err := lab.Parse(where.state.Path(appliedName), text)
	if err != nil {
		return ""
	}
	return l.Provider
}

// madeBy is the provider of the lab's machines; empty while there are none.
func madeBy(s state.State) string {
	if len(s.Machines) == 0 {
		return ""
	}
	return s.Provider
}

// remembered opens a lab by what the last up left in .podium, without its description: for all other verbs. It
// warns when the description could not be used any more.
func (a *app) remembered(where labRef) (*labSession, error) {
	known, err := where.state.Load()
	if err != nil {
		return nil, err
	}
	b := &labSession{labRef: where, known: known}
	if b.lab, err = applied(where, known); err != nil {
		return nil, err
	}
	a.warnAboutDescription(b)
	return b, nil
}

// wasApplied reports whether an up got as far as to write down what it carries out.
func (b *labSession) wasApplied() bool {
	return b.state.Files().Exists(appliedName)
}

// applied reads the description of the last up. It was valid then, so it is not checked again.
func applied(where labRef, known state.State) (lab.Lab, error) {
	l := lab.Lab{Name: known.Lab, Provider: known.Provider}
	text, err := where.state.Files().Read(appliedName, maxApplied)
	if err == nil {
		if l, _, err = lab.Parse(where.state.Path(appliedName), text); err == nil {
			err = l.CheckNames()
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lab.Lab{}, fmt.Errorf("description of the last up: %w", err)
	}
	if known.Provider != "" {
		l.Provider = known.Provider
	}
	lab.Default(&l)
	l.Dir = where.state.Lab()
	return l, nil
}

// warnAboutDescription reads lab.yaml, and says when it is gone or broken although podium goes on without it.
func (a *app) warnAboutDescription(b *labSession) {
	if len(b.known.Machines) == 0 {
		return
	}
	switch p, err := a.describe(b.labRef, b.known.Provider); {
	case err == nil:
		b.wanted = &p
	case errors.Is(err, fs.ErrNotExist):
		a.warn("warning: %s is gone; going by what the last up knew", b.file)
	case isDescriptionError(err):
		a.warn("warning: %s has %s (podium validate%s shows them); going by what the last up knew", b.file, countProblems(err), b.arg)
	default:
		a.warn("warning: %v; going by what the last up knew", err)
	}
}

// noWait is the deadline of a dialer for who only looks: a node that does not answer now is not waited for.
const noWait = -1

// equip gives the session its provider, dialer and engine. Nothing is started by it. deadline is how long a node that boots
// is waited for; 0: as long as its provider may need.
func (a *app) equip(b *labSession, deadline time.Duration) error {
	provider, err := a.provider(b)
	if err != nil {
		return err
	}
	b.dialer = a.newDialer(b, deadline)
	b.engine = &engine.Engine{
		Plan: b.plan, Provider: provider, Dialer: b.dialer, Dir: b.state, Log: a.log.Named("engine"),
		KeyFile: b.state.Path(keyName), LabArg: b.arg, AskTimeout: b.lab.SSHLimit(),
		Forget: func(e remote.Endpoint) error { return b.dialer.Forget(context.Background(), e.Node) },
	}
	return nil
}

// events is a sink for providers, which are made before it is known who watches.
func (b *labSession) events() event.Sink {
	return event.Func(func(e event.Event) {
		if b.engine != nil && b.engine.Sink != nil {
			b.engine.Sink.Emit(e)
		}
	})
}

// lock takes the lab for this run.
func (a *app) lock(ctx context.Context, where labRef, verb string) (unlock func(), err error) {
	if err := where.state.Admit(a.userMade()); err != nil {
		return nil, err
	}
	release, err := where.state.Lock(ctx, "podium "+verb)
	if err != nil {
		return nil, err
	}
	return func() {
		if err := release(); err != nil {
			a.log.Warn("unlock", "error", err)
		}
	}, nil
}
