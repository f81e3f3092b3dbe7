package cluster

import (
	"errors"
	"fmt"
	"slices"
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

// taint changes the taints of nodes: key=value:Effect sets, key- or key:Effect- removes.
func (c *ctl) taint() error {
	cut := slices.IndexFunc(c.args, func(a string) bool { return strings.Contains(a, ":") || strings.HasSuffix(a, "-") })
	if cut < 0 {
		return errors.New("error: at least one taint update is required")
	}
	args, changes := c.args[:cut], c.args[cut:]
	if c.o.Has("all") {
		args = []string{"nodes"}
	}
	return c.change(args, map[bool]string{true: "untainted", false: "tainted"}[strings.HasSuffix(changes[0], "-")], func(i item, o object) error {
		taints := slices.Clone(items(o, "spec", "taints"))
		for _, change := range changes {
			rest, removes := strings.CutSuffix(change, "-")
			kv, effect, _ := strings.Cut(rest, ":")
			k, v, _ := strings.Cut(kv, "=")
			n := len(taints)
			taints = slices.DeleteFunc(taints, func(t any) bool { return text(t, "key") == k && (effect == "" || text(t, "effect") == effect) })
			switch {
			case removes && len(taints) == n:
				return fmt.Errorf("error: taint %q not found", rest)
			case removes:
			case n != len(taints) && !c.o.Has("overwrite"):
				return fmt.Errorf("error: node %s already has %s taint(s) with same effect(s) and --overwrite is false", i.key.name, k)
			case effect != "NoSchedule" && effect != "PreferNoSchedule" && effect != "NoExecute":
				return fmt.Errorf("error: invalid taint effect: %s, unsupported taint effect", effect)
			default:
				t := object{"key": k, "effect": effect}
				if v != "" {
					t["value"] = v
				}
				taints = append(taints, t)
			}
		}
		delete(child(o, "spec"), "taints")
		if len(taints) > 0 {
			child(o, "spec")["taints"] = taints
		}
		return nil
	})
}
