package plan

import (
	"fmt"
	"slices"

	"podium/provision/lab"
)

// Partial reports whether the plan is about some machines of its lab only.
func (p Plan) Partial() bool { return p.Whole != nil }

// All is every machine of the lab, those included that the plan leaves alone.
func (p Plan) All() []lab.Machine {
	if p.Partial() {
		return p.Whole
	}
	return p.Machines
}

// Resting lists the machines of the lab that the plan leaves alone.
func (p Plan) Resting() []string {
	var names []string
	for _, m := range p.All() {
		if !slices.ContainsFunc(p.Machines, func(some lab.Machine) bool { return some.Name == m.Name }) {
			names = append(names, m.Name)
		}
	}
	return names
}

// part is the plan of some machines. What came after a task that is left out comes after what that task came after.
func (p Plan) part(names []string) (Plan, error) {
	if len(names) == len(p.Machines) {
		return p, nil
	}
	some := Plan{Lab: p.Lab, Whole: p.Machines}
	for _, m := range p.Machines {
		if slices.Contains(names, m.Name) {
			some.Machines = append(some.Machines, m)
		}
	}
	behind := map[TaskID][]TaskID{} // what stands for a task that is left out
	for _, t := range p.Tasks {     // each after those it waits for
		var after []TaskID
		for _, id := range t.After {
			if others, left := behind[id]; left {
				after = append(after, others...)
			} else {
				after = append(after, id)
			}
		}
		slices.Sort(after)
		t.After = slices.Compact(after)
		if !slices.Contains(names, t.Node) {
			behind[t.ID] = t.After
			continue
		}
		for _, in := range t.Inputs {
			if !slices.Contains(names, in.Node) {
				return Plan{}, fmt.Errorf("%s needs %s, which takes no part", t.ID, in.Node)
			}
		}
		some.Tasks = append(some.Tasks, t)
	}
	withoutDetours(some.Tasks)
	return some, nil
}
