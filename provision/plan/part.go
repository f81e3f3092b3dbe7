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

// part is the plan of some machines.
func (p Plan) part(names []string) (Plan, error) {
	if len(names) == len(p.Machines) {
		return p, nil
	}
	some := p.without(func(t Task) bool { return !slices.Contains(names, t.Node) })
	some.Whole = p.Machines
	some.Machines = slices.DeleteFunc(slices.Clone(p.Machines), func(m lab.Machine) bool { return !slices.Contains(names, m.Name) })
	for _, t := range some.Tasks {
		for _, in := range t.Inputs {
			if !slices.Contains(names, in.Node) {
				return Plan{}, fmt.Errorf("%s needs %s, which takes no part", t.ID, in.Node)
			}
		}
	}
	return some, nil
}

// Applying leaves out the conditional tasks that have no reason to run, such as the upgrade of a cluster that is not there yet.
func (p Plan) Applying(reasons map[TaskID]string) Plan {
	return p.without(func(t Task) bool { return t.Conditional() && reasons[t.ID] == "" })
}

// without leaves tasks out. What came after such a task comes after what that task came after.
func (p Plan) without(leave func(Task) bool) Plan {
	some := p
	some.Tasks = nil
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
		if leave(t) {
			behind[t.ID] = t.After
			continue
		}
		some.Tasks = append(some.Tasks, t)
	}
	withoutDetours(some.Tasks)
	return some
}
