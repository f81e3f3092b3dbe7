package main

import (
	"slices"

	"podium/provision/lab"
	"podium/provision/plan"
)

// narrow leaves of the session's plan what is about the chosen nodes and those that they need.
func (a *app) narrow(b *labSession, on selection) error {
	if !on.given() {
		return nil
	}
	names, err := nodesOf(b.plan).choose(on)
	if err != nil {
		return err
	}
	if b.plan, err = makePlan(b.lab, names...); err != nil {
		return err
	}
	a.sayWhoElse(b.plan, on, names)
	return nil
}

// nodesOf are the machines of a plan, to choose from.
func nodesOf(p plan.Plan) labNodes {
	n := labNodes{roles: map[string][]string{}}
	for _, m := range p.All() {
		n.names = append(n.names, m.Name)
		n.roles[m.Name] = m.Roles
	}
	return n
}

// sayWhoElse names the nodes that take part although they were not chosen, and what a part of a cluster lacks.
func (a *app) sayWhoElse(p plan.Plan, on selection, chosen []string) {
	if !on.given() {
		return
	}
	var more []string
	for _, m := range p.Machines {
		if !slices.Contains(chosen, m.Name) {
			more = append(more, m.Name)
		}
	}
	if len(more) > 0 {
		a.warn("with them: %s, which they need", listNames(more))
	}
	worker := func(m lab.Machine) bool { return m.HasRole(lab.RoleWorker) }
	if p.Lab.Kubernetes != nil && !slices.ContainsFunc(p.Machines, worker) && slices.ContainsFunc(p.All(), worker) &&
		slices.ContainsFunc(p.Machines, func(m lab.Machine) bool { return m.HasRole(lab.RoleControlPlane) }) {
		a.warn("warning: none of these nodes is a worker: pods wait until one runs, those of add-ons too")
	}
}
