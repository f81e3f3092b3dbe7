package cluster

import (
	"errors"
	"strings"
)

// mayDo reports whether a role lets the client do something, if it is a service account.
func (c *ctl) mayDo(verb string, k key, r resource) bool {
	if c.service == nil {
		return false
	}
	group, _, grouped := strings.Cut(r.apiVersion, "/")
	if !grouped {
		group = ""
	}
	return c.granted(*c.service, request{verb: verb, group: group, resource: k.kind, namespace: k.namespace, name: k.name})
}

// auth answers whether the client may do something: auth can-i VERB RESOURCE.
func (c *ctl) auth() error {
	if len(c.args) != 3 || c.args[0] != "can-i" {
		return errors.New("error: the simulator's model of kubectl auth has only: can-i VERB RESOURCE")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.session.store.resource(c.args[2])
	if err != nil {
		return err
	}
	k := key{kind: r.plural}
	if r.namespaced {
		k.namespace = c.namespace()
	}
	if c.admin() || c.mayDo(c.args[1], k, r) {
		c.p.Print("yes\n")
		return nil
	}
	c.p.Print("no\n")
	return errors.New("")
}
