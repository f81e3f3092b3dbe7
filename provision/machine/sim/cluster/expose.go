package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
)

// entrance is where a Service can be reached from outside the cluster.
type entrance struct {
	address string // of the load balancer; empty: any node's
	port    int
}

// exposure is what the nodes of a cluster let in: what kube-proxy and MetalLB's speakers have set up. It is a copy, so
// that a dialer needs no lock.
type exposure struct {
	nodes    map[string]bool     // addresses of the nodes that run
	services map[entrance]string // what the page says, by where it is
}

// Exposed finds the Service of a cluster that answers at a port of the lab's network: at a node's port, or at an address
// of the load balancer. It is nil if there is none, or if none of its pods is ready.
func Exposed(m *guest.Machine, address string, port int) guest.Handler {
	stores := labOf(m).open.Load() // no lock: the dialer may hold a store's
	if stores == nil {
		return nil
	}
	for _, s := range *stores {
		e := s.exposed.Load()
		if e == nil {
			continue
		}
		page, ok := e.services[entrance{address, port}]
		if !ok && e.nodes[address] {
			page, ok = e.services[entrance{"", port}]
		}
		if ok {
			return guest.HandlerFunc(func(context.Context, guest.Request) guest.Response {
				return guest.Response{Code: 200, Body: page}
			})
		}
	}
	return nil
}

// expose gives load balancers their addresses and notes what can be reached; the lock must be held.
func (s *store) expose() error {
	e := &exposure{nodes: map[string]bool{}, services: map[entrance]string{}}
	for _, k := range s.kubelets {
		e.nodes[k.address] = true
	}
	for _, svc := range s.list("services", "") {
		kind := text(svc, "spec", "type")
		if kind != "NodePort" && kind != "LoadBalancer" {
			continue
		}
		address, err := s.balance(svc, kind)
		if err != nil {
			return err
		}
		page := s.page(svc)
		if page == "" {
			continue
		}
		for _, p := range items(svc, "spec", "ports") {
			if n, ok := number(p, "nodePort"); ok {
				e.services[entrance{"", n}] = page
			}
			if n, ok := number(p, "port"); ok && address != "" {
				e.services[entrance{address, n}] = page
			}
		}
	}
	s.exposed.Store(e)
	return nil
}

// page is what the first ready pod of a Service answers; empty if none is ready.
func (s *store) page(svc object) string {
	wanted := labelsOf(svc, "spec", "selector")
	if len(wanted) == 0 {
		return ""
	}
	for _, p := range s.list("pods", text(svc, "metadata", "namespace")) {
		if fits(labelsOf(p), wanted) && s.podReady(p) {
			return fmt.Sprintf("simulated answer of %s\n", text(p, "metadata", "name"))
		}
	}
	return ""
}

// balance is the address of a Service of type LoadBalancer, which it gets from MetalLB's pools while MetalLB runs.
func (s *store) balance(svc object, kind string) (string, error) {
	if kind != "LoadBalancer" {
		return "", nil
	}
	if have := balancedAt(svc); have != "" {
		return have, nil
	}
	if !s.works("deployments", "metallb-system", "controller") || len(s.objects["l2advertisements"]) == 0 {
		return "", nil
	}
	taken := map[string]bool{}
	for _, other := range s.list("services", "") {
		taken[balancedAt(other)] = true
	}
	for _, pool := range s.list("ipaddresspools", "metallb-system") {
		for _, r := range items(pool, "spec", "addresses") {
			for _, a := range addresses(fmt.Sprint(r)) {
				if taken[a] {
					continue
				}
				svc = clone(svc)
				svc["status"] = object{"loadBalancer": object{"ingress": []any{object{"ip": a, "ipMode": "VIP"}}}}
				return a, s.put(key{"services", text(svc, "metadata", "namespace"), text(svc, "metadata", "name")}, svc)
			}
		}
	}
	return "", nil
}

func balancedAt(svc object) string {
	list := items(svc, "status", "loadBalancer", "ingress")
	if len(list) == 0 {
		return ""
	}
	return text(list[0], "ip")
}

// addresses are those of a range such as 192.168.56.240-192.168.56.250.
func addresses(text string) []string {
	from, to, _ := strings.Cut(text, "-")
	first, err := netip.ParseAddr(strings.TrimSpace(from))
	last, err2 := netip.ParseAddr(strings.TrimSpace(to))
	if err != nil || err2 != nil {
		return nil
	}
	var list []string
	for a := first; a.IsValid() && !last.Less(a); a = a.Next() {
		list = append(list, a.String())
	}
	return list
}

// works reports whether all pods of a workload are ready, and there is at least one.
func (s *store) works(kind, namespace, name string) bool {
	o := s.get(key{kind, namespace, name})
	if o == nil {
		return false
	}
	v := s.view(kind, o, time.Time{})
	ready, _ := number(v, "status", "readyReplicas")
	want := replicas(o)
	if kind == "daemonsets" {
		ready, _ = number(v, "status", "numberReady")
		want, _ = number(v, "status", "desiredNumberScheduled")
	}
	return want > 0 && ready >= want
}

// nodePorts gives a Service that is open to the outside its ports of the nodes.
func nodePorts(svc object, revision int64) {
	kind := text(svc, "spec", "type")
	if kind != "NodePort" && kind != "LoadBalancer" {
		return
	}
	ports := slices.Clone(items(svc, "spec", "ports"))
	for i, p := range ports {
		if m, ok := p.(object); ok && m["nodePort"] == nil {
			m = clone(m)
			m["nodePort"] = 30000 + (int(revision)+i)%2768
			ports[i] = m
		}
	}
	child(svc, "spec")["ports"] = ports
}
