package main

import (
	"github.com/spf13/cobra"

	"podium/provision/remote"
	"podium/provision/state"
)

// reachable opens a lab for verbs that talk to its nodes by SSH and need nothing of the provider.
func (a *app) reachable(where folder) (*bench, error) {
	b, err := a.remembered(where)
	if err != nil {
		return nil, err
	}
	if len(b.known.Machines) == 0 {
		return nil, b.neverMade()
	}
	b.dialer = a.newDialer(b, -1)
	return b, nil
}

// endpoint is how a node was last reached.
func (b *bench) endpoint(name string) (remote.Endpoint, error) {
	e := b.known.Machines[name].Endpoint
	if e == nil {
		return remote.Endpoint{}, fail(exitFailed, "%s: it never came up", name).hinted("podium up%s", b.arg)
	}
	return *endpointOf(e), nil
}

// endpointOf turns what state.json has into what remote takes.
func endpointOf(e *state.Endpoint) *remote.Endpoint {
	if e == nil {
		return nil
	}
	return &remote.Endpoint{
		Node: e.Node, Host: e.Host, Port: e.Port, User: e.User, KeyFile: e.KeyFile, HostKeys: e.HostKeys, Jump: endpointOf(e.Jump),
	}
}

// addSelection gives a verb the flags that choose nodes.
func (a *app) addSelection(c *cobra.Command, s *selection) {
	c.Flags().StringSliceVar(&s.nodes, "on", nil, "only these `nodes`, such as w1,w2")
	c.Flags().StringSliceVar(&s.roles, "role", nil, "only nodes with one of these `roles`, such as worker")
	a.completeNodes(c, "on")
	a.completeRoles(c, "role")
}
