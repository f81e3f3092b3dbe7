package main

import (
	"context"

	"podium/provision/lab"
	"podium/provision/remote"
	"podium/provision/state"
)

// reachable opens a lab for verbs that talk to its nodes by SSH and need nothing of the provider.
func (a *app) reachable(ctx context.Context, where labRef) (*labSession, error) {
	b, err := a.remembered(where)
	if err != nil {
		return nil, err
	}
	if len(b.known.Machines) == 0 {
		if err := a.existing(ctx, b); err != nil {
			return nil, err
		}
	}
	b.dialer = a.newDialer(b, noWait)
	return b, nil
}

// existing finds the machines of a lab that was never made: where they exist already (provider static), its
// description says how to reach them.
func (a *app) existing(ctx context.Context, b *labSession) error {
	if !b.described() {
		return b.neverMade()
	}
	p, err := a.describe(b.labRef, "")
	if err != nil {
		return err
	}
	l := p.Lab
	if l.Provider != lab.ProviderStatic {
		return b.neverMade()
	}
	b.lab = l
	provider, err := a.provider(b)
	if err != nil {
		return err
	}
	for i, m := range lab.Machines(l) {
		e, err := provider.Up(ctx, m.Name)
		if err != nil {
			return err
		}
		b.known.Machines[m.Name] = state.Machine{Roles: m.Roles, Address: m.Address.String(), Place: i, Endpoint: &e}
	}
	return nil
}

// endpoint is how a node was last reached.
func (b *labSession) endpoint(name string) (remote.Endpoint, error) {
	e := b.known.Machines[name].Endpoint
	if e == nil {
		return remote.Endpoint{}, fail(exitFailed, "%s: %w", name, errNeverUp).hinted("podium up%s", b.arg)
	}
	return *e, nil
}
