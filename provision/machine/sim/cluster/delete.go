package cluster

import (
	"errors"
	"slices"
	"strings"
)

// delete removes objects and what they own.
func (c *ctl) delete() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	args, spaces := c.args, map[string]string{}
	if c.o.Has("f") {
		docs, err := c.documents(c.o.Values("f"))
		if err != nil {
			return err
		}
		args = nil
		for _, d := range docs {
			name := kindOf(d).plural + "/" + text(d, "metadata", "name")
			args, spaces[name] = append(args, name), text(d, "metadata", "namespace")
		}
		slices.Reverse(args)
	} else if len(args) < 2 && !c.o.Has("all") && !c.o.Has("l") && (len(args) == 0 || !strings.Contains(args[0], "/")) {
		return errors.New("error: resource(s) were provided, but no name was specified")
	}
	var found []item
	var failed errorList
	if c.o.Has("f") {
		for _, a := range args {
			plural, name, _ := strings.Cut(a, "/")
			r, err := c.resource(plural)
			k := key{plural, "", name}
			if r.namespaced {
				k.namespace = or(spaces[a], c.namespace())
			}
			if o := c.session.store.get(k); err == nil && o != nil {
				found = append(found, item{r, k, o})
			} else if !c.o.Has("ignore-not-found") {
				failed = append(failed, notFound(r, name))
			}
		}
	} else {
		var err error
		if found, err = c.find(args, "delete"); err != nil && !(errors.As(err, &failed) && c.o.Has("ignore-not-found")) {
			if !errors.As(err, &failed) {
				return err
			}
		} else {
			failed = nil
		}
	}
	for _, i := range found {
		if err := c.allow("delete", i.key, i.resource); err != nil {
			return err
		}
		if err := c.drop(i.key); err != nil {
			return err
		}
		if c.output() == "name" {
			c.p.Print(i.reference(i.key.name) + "\n")
		} else if i.namespaced {
			c.p.Printf("%s %q deleted from %s namespace\n", strings.TrimSuffix(i.reference(""), "/"), i.key.name, i.key.namespace)
		} else {
			c.p.Printf("%s %q deleted\n", strings.TrimSuffix(i.reference(""), "/"), i.key.name)
		}
	}
	if err := c.controllers(c.now()); err != nil {
		return err
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// drop removes an object with what it owns; the lock must be held.
func (c *ctl) drop(k key) error {
	o := c.session.store.get(k)
	if o == nil {
		return nil
	}
	var owned []key
	switch k.kind {
	case "pods":
		return c.deletePod(k)
	case "namespaces":
		for kind, objects := range c.objects {
			for id := range objects {
				if id.namespace == k.name {
					owned = append(owned, key{kind, id.namespace, id.name})
				}
			}
		}
	case "deployments":
		for _, rs := range c.list("replicasets", k.namespace) {
			if ownedBy(rs, "Deployment", k.name) {
				owned = append(owned, key{"replicasets", k.namespace, text(rs, "metadata", "name")})
			}
		}
	case "replicasets":
		for _, p := range c.podsOf("ReplicaSet", o) {
			owned = append(owned, podKey(p))
		}
	case "daemonsets":
		for _, p := range c.podsOf("DaemonSet", o) {
			owned = append(owned, podKey(p))
		}
	case "nodes":
		for id, p := range c.objects["pods"] {
			if text(p, "spec", "nodeName") == k.name {
				owned = append(owned, id)
			}
		}
	}
	if err := c.remove(k); err != nil {
		return saysf("Error from server: %v", err)
	}
	for _, id := range owned {
		if err := c.drop(id); err != nil {
			return err
		}
	}
	return nil
}
