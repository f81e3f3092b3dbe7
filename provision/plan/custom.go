package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"podium/provision/lab"
	"podium/provision/step"
)

// StepBase is the built-in step that a lab's own steps wait for when they name no other.
const StepBase = "base"

// custom adds the lab's own steps, then draws their edges. A step with a built-in step's name replaces the script.
func (b *builder) custom() error {
	var problems lab.Problems
	fail := func(path, value, message string) {
		problems = append(problems, lab.Problem{Path: path, Value: value, Message: message})
	}
	for i, s := range b.context.Lab.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		script, err := readScript(b.own, s.Script)
		if err != nil {
			fail(path+".script", s.Script, fmt.Sprintf("cannot be read (%v): put the file into the lab's folder", err))
			continue
		}
		timeout, err := time.ParseDuration(s.Timeout)
		if s.Timeout != "" && err != nil {
			fail(path+".timeout", s.Timeout, "is not a duration: write one such as 90s or 10m")
			continue
		}
		_, replaces := b.byStep[s.Name]
		for _, m := range b.context.Machines {
			if !selected(s.On, m) {
				continue
			}
			id := taskID(m.Name, s.Name)
			if task := b.tasks[id]; task != nil {
				task.Script, task.Timeout = script, max(task.Timeout, timeout)
				maps.Copy(task.Vars, step.Common(b.context, m))
				maps.Copy(task.Vars, s.Vars)
				task.Digest = digest(*task)
				continue
			}
			if replaces {
				if len(s.On) > 0 {
					fail(path+".on", m.Name, "does not run the built-in step "+s.Name+": leave it out, or give the step another name")
				}
				continue
			}
			task := Task{
				Node: m.Name, Step: s.Name, About: "the lab's own: " + s.Script, Script: script,
				Vars: step.Common(b.context, m), Timeout: timeout, Hint: "read " + s.Script + " in the lab's folder",
			}
			maps.Copy(task.Vars, s.Vars)
			task.Digest = digest(task)
			if err := b.add(task); err != nil {
				return err
			}
		}
	}
	b.customEdges(fail)
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// customEdges lets the lab's own steps wait for what they name.
func (b *builder) customEdges(fail func(path, value, message string)) {
	for i, s := range b.context.Lab.Steps {
		after := s.After
		if len(after) == 0 {
			after = []string{StepBase}
		}
		for j, name := range after {
			if len(b.byStep[name]) == 0 && len(s.After) > 0 {
				fail(fmt.Sprintf("steps[%d].after[%d]", i, j), name, "runs on no machine of this lab: name a step that podium plan shows")
			}
			for _, id := range b.byStep[s.Name] {
				task := b.tasks[id]
				if !selectedName(b.context.Machines, s.On, task.Node) || name == s.Name {
					continue
				}
				before := b.before(task.Node, step.After{Step: name})
				if len(before) == 0 {
					before = b.before(task.Node, step.After{Step: name, Everywhere: true})
				}
				task.After = append(task.After, taskID(task.Node, StepBoot))
				task.After = append(task.After, before...)
			}
		}
	}
}

// selected reports whether on, a list of roles and machine names, takes in the machine. An empty list takes in all.
func selected(on []string, m lab.Machine) bool {
	return len(on) == 0 || slices.ContainsFunc(on, func(name string) bool { return name == m.Name || m.HasRole(name) })
}

func selectedName(machines []lab.Machine, on []string, node string) bool {
	return slices.ContainsFunc(machines, func(m lab.Machine) bool { return m.Name == node && selected(on, m) })
}
