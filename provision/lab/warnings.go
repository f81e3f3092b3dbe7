package lab

import (
	"fmt"

	"podium/provision/catalogue"
)

// warnings are what is allowed in a lab that Validate accepts, but unlikely to last: what its makers gave the last
// fixes before that day.
func warnings(l Lab, at Positions, today catalogue.Date) Problems {
	c := &checker{lab: l, at: at}
	over := func(end catalogue.Date) bool { return end != "" && end < today }
	if k := l.Kubernetes; k != nil {
		component, _ := catalogue.All().Find("kubernetes")
		if r, ok := component.Release(k.Version); ok && over(r.End) {
			c.bad("kubernetes.version", k.Version, "has had no fixes since %s%s", r.End, stillFixed(component, today))
		}
		for i, addon := range k.Addons {
			component, _ := catalogue.All().Find(addon)
			if end := component.Default().End; over(end) {
				c.bad(fmt.Sprintf("kubernetes.addons[%d]", i), addon, "has had no fixes since %s: %s", end, component.About)
			}
		}
	}
	if field, name := l.start(); field != "" {
		if d, ok := catalogue.DistributionOf(name); ok && over(d.End) {
			c.bad(field, name, "is %s, which has had no fixes since %s: take a newer one", d.Name, d.End)
		}
	}
	return c.problems
}

// stillFixed offers the versions that still get fixes.
func stillFixed(c catalogue.Component, today catalogue.Date) string {
	var alive []string
	for _, r := range c.Versions {
		if r.End == "" || r.End >= today {
			alive = append(alive, r.Version)
		}
	}
	if len(alive) == 0 {
		return ": is there a newer podium?"
	}
	return ": write " + either(alive)
}
