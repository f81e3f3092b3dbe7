package cluster

import (
	"errors"
	"fmt"
	"slices"
)

// top shows what metrics-server has measured. It measures nothing while it does not run, or does not trust the
// certificates that kubelets have signed themselves.
func (c *ctl) top() error {
	if len(c.args) != 1 || c.args[0] != "nodes" && c.args[0] != "node" && c.args[0] != "no" {
		return errors.New("error: the simulator's model has only: kubectl top nodes")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.controllers(c.now()); err != nil {
		return err
	}
	d := c.session.store.get(key{"deployments", kubeSystem, "metrics-server"})
	if d == nil {
		return says("error: Metrics API not available")
	}
	if !c.works("deployments", kubeSystem, "metrics-server") {
		return saysf("Error from server (ServiceUnavailable): the server is currently unable to handle the request (get nodes.metrics.k8s.io)")
	}
	for _, container := range items(d, "spec", "template", "spec", "containers") {
		if !slices.Contains(items(container, "args"), any("--kubelet-insecure-tls")) {
			return says("error: metrics not available yet")
		}
	}
	rows := [][]string{{"NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"}}
	for _, n := range c.list("nodes", "") {
		name := text(n, "metadata", "name")
		k := c.kubelets[name]
		if k == nil {
			rows = append(rows, []string{name, "<unknown>", "<unknown>", "<unknown>", "<unknown>"})
			continue
		}
		h := k.kernel.Machine.Hardware
		rows = append(rows, []string{name, fmt.Sprintf("%dm", 50*h.CPUs), "5%", fmt.Sprintf("%dMi", h.Memory>>20/4), "25%"})
	}
	if c.o.Has("no-headers") {
		rows = rows[1:]
	}
	c.p.Print(table(rows))
	return nil
}
