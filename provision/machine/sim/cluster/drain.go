package cluster

import (
	"fmt"
	"strings"
)

// nodeArgs are operands that name nodes, with or without their kind.
func (c *ctl) nodeArgs() ([]string, error) {
	if len(c.args) == 0 {
		return nil, fmt.Errorf("error: USAGE: %s NODE", c.verb)
	}
	var list []string
	for _, a := range c.args {
		if strings.Contains(a, "/") {
			list = append(list, a)
		} else {
			list = append(list, "node/"+a)
		}
	}
	return list, nil
}

// cordon keeps new pods away from nodes, or lets them come again.
func (c *ctl) cordon() error {
	args, err := c.nodeArgs()
	if err != nil {
		return err
	}
	done := map[string]string{"cordon": "cordoned", "drain": "cordoned", "uncordon": "uncordoned"}[c.verb]
	return c.change(args, done, func(_ item, o object) error {
		if c.verb == "uncordon" {
			delete(child(o, "spec"), "unschedulable")
		} else {
			child(o, "spec")["unschedulable"] = true
		}
		return nil
	})
}

// drain takes the pods off nodes.
func (c *ctl) drain() error {
	if err := c.cordon(); err != nil {
		return err
	}
	args, err := c.nodeArgs()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range args {
		_, node, _ := strings.Cut(a, "/")
		var evict []object
		var daemons, bare []string
		for _, p := range c.list("pods", "") {
			name := text(p, "metadata", "namespace") + "/" + text(p, "metadata", "name")
			owners := items(p, "metadata", "ownerReferences")
			switch {
			case text(p, "spec", "nodeName") != node || text(p, "metadata", "annotations", "kubernetes.io/config.source") == "file":
			case len(owners) > 0 && text(owners[0], "kind") == "DaemonSet":
				daemons = append(daemons, name)
			case len(owners) == 0 && !c.o.Has("force"):
				bare = append(bare, name)
			default:
				evict = append(evict, p)
			}
		}
		var why []string
		if len(daemons) > 0 && !c.o.Has("ignore-daemonsets") {
			why = append(why, "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): "+strings.Join(daemons, ", "))
		}
		if len(bare) > 0 {
			why = append(why, "cannot delete Pods that declare no controller (use --force to override): "+strings.Join(bare, ", "))
		}
		if len(why) > 0 {
			return fmt.Errorf("error: unable to drain node %q due to error: [%s], continuing command...\nThere are pending nodes to be drained:\n %s\n%s", node, strings.Join(why, ", "), node, strings.Join(why, "\n"))
		}
		if len(daemons) > 0 {
			c.p.Errorf("Warning: ignoring DaemonSet-managed Pods: %s", strings.Join(daemons, ", "))
		}
		for _, p := range evict {
			c.p.Printf("evicting pod %s/%s\n", text(p, "metadata", "namespace"), text(p, "metadata", "name"))
			if err := c.deletePod(podKey(p)); err != nil {
				return saysf("Error from server: %v", err)
			}
			c.p.Printf("pod/%s evicted\n", text(p, "metadata", "name"))
		}
		if err := c.controllers(c.now()); err != nil {
			return err
		}
		c.p.Printf("node/%s drained\n", node)
	}
	return nil
}
