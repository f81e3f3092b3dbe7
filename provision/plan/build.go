package plan

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"podium/provision/lab"
	"podium/provision/step"
)

// Build lays the catalogue over a lab that lab.Load accepted. Built-in scripts are read from guest (scripts.Guest),
// those of the lab's own steps from own (os.DirFS of the lab's folder; nil for a lab without any). What is wrong with
// the description is a lab.Problems; any other error is a fault of the catalogue.
//
// With names the plan is only about those machines of the lab, and those that they need (step.TakePart).
func Build(l lab.Lab, guest, own fs.FS, on ...string) (Plan, error) {
	return BuildFrom(step.Catalogue(), l, guest, own, on...)
}

// BuildFrom is Build with another catalogue.
func BuildFrom(rows []step.Step, l lab.Lab, guest, own fs.FS, on ...string) (Plan, error) {
	b := newBuilder(l, guest)
	if len(on) > 0 {
		b.context.On = step.TakePart(b.context, on)
	}
	if err := b.boot(); err != nil {
		return Plan{}, err
	}
	if err := b.catalogue(rows); err != nil {
		return Plan{}, err
	}
	if err := b.custom(own); err != nil {
		return Plan{}, err
	}
	tasks, err := b.sorted()
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Lab: l, Machines: b.context.Machines, Tasks: tasks}
	if len(on) > 0 {
		return p.part(b.context.On)
	}
	return p, nil
}

// builder holds what is known while a plan grows.
type builder struct {
	context step.Context
	guest   fs.FS
	scripts map[string]Script    // of guest, read so far
	common  map[string]step.Vars // variables that every script may use, by machine
	order   []TaskID             // as the tasks were added: boot first, then row by row, machine by machine
	byStep  map[string][]TaskID
	tasks   map[TaskID]*Task
}

func newBuilder(l lab.Lab, guest fs.FS) *builder {
	b := &builder{
		context: step.Context{Lab: l, Machines: lab.Machines(l)},
		guest:   guest,
		scripts: map[string]Script{},
		common:  map[string]step.Vars{},
		byStep:  map[string][]TaskID{},
		tasks:   map[TaskID]*Task{},
	}
	var first step.Vars
	for _, m := range b.context.Machines {
		vars := step.Common(b.context, m)
		for name, value := range vars {
			if first[name] == value {
				vars[name] = first[name] // one copy of the list of hosts, not one for each of a thousand machines
			}
		}
		if first == nil {
			first = vars
		}
		b.common[m.Name] = vars
	}
	return b
}

func taskID(node, step string) TaskID { return TaskID(node + "/" + step) }

func (b *builder) add(t Task) error {
	t.ID = taskID(t.Node, t.Step)
	if b.tasks[t.ID] != nil {
		return fmt.Errorf("two steps of the catalogue are called %s: rename one", t.Step)
	}
	b.tasks[t.ID] = &t
	b.order = append(b.order, t.ID)
	b.byStep[t.Step] = append(b.byStep[t.Step], t.ID)
	return nil
}

// boot adds the task that makes each machine.
func (b *builder) boot() error {
	for _, m := range b.context.Machines {
		if err := b.add(Task{Node: m.Name, Step: StepBoot, About: "create or start the machine", Timeout: b.context.Lab.BootLimit()}); err != nil {
			return err
		}
	}
	return nil
}

// catalogue adds the built-in steps, then draws the edges between them.
func (b *builder) catalogue(rows []step.Step) error {
	for _, row := range rows {
		for _, m := range b.context.Machines {
			if row.On != nil && !row.On(b.context, m) {
				continue
			}
			task, err := b.task(row, m)
			if err != nil {
				return fmt.Errorf("step %s on %s: %w", row.Name, m.Name, err)
			}
			if err := b.add(task); err != nil {
				return err
			}
		}
	}
	for _, row := range rows {
		for i, id := range b.byStep[row.Name] {
			task := b.tasks[id]
			for _, after := range row.After {
				task.After = append(task.After, b.before(task.Node, after)...)
			}
			if row.Serial && i > 0 {
				task.After = append(task.After, b.byStep[row.Name][i-1])
			}
			b.needsMachine(task, task.Node)
			for _, input := range task.Inputs {
				b.needsMachine(task, input.Node)
			}
		}
	}
	return nil
}

// before lists the tasks that an After stands for, seen from node.
func (b *builder) before(node string, after step.After) []TaskID {
	if after.Everywhere {
		return b.byStep[after.Step]
	}
	if id := taskID(node, after.Step); b.tasks[id] != nil {
		return []TaskID{id}
	}
	return nil
}

// needsMachine lets a task wait for a machine's boot, unless it waits for a later task there anyway.
func (b *builder) needsMachine(task *Task, node string) {
	if !slices.ContainsFunc(task.After, func(id TaskID) bool { return b.tasks[id].Node == node }) {
		task.After = append(task.After, taskID(node, StepBoot))
	}
}

// task makes the task of a row on a machine, all but its edges. Its script gets the common variables that it
// mentions, and the row's own.
func (b *builder) task(row step.Step, m lab.Machine) (Task, error) {
	script, err := b.script(row.Script)
	if err != nil {
		return Task{}, err
	}
	t := Task{
		Node: m.Name, Step: row.Name, About: row.About, Script: script,
		Hint: row.Hint, Services: slices.Clone(row.Services), Timeout: row.Timeout,
		NotRehearsed: row.NotRehearsed && b.context.Lab.Provider == lab.ProviderSim,
	}
	if row.Probe != "" {
		if t.Probe, err = b.script(row.Probe); err != nil {
			return Task{}, err
		}
	}
	if row.Version != nil {
		v := row.Version(b.context, m)
		t.Version = &v
	}
	t.Vars = b.common[m.Name].Mentioned(t.Script.Text, t.Probe.Text)
	if row.Vars != nil {
		maps.Copy(t.Vars, row.Vars(b.context, m))
	}
	if row.Files != nil {
		t.Files = row.Files(b.context, m)
	}
	if row.Inputs != nil {
		for _, from := range row.Inputs(b.context, m) {
			input, err := b.input(from)
			if err != nil {
				return Task{}, err
			}
			t.Inputs = append(t.Inputs, input)
		}
	}
	t.Digest = digest(t, t.Vars)
	return t, nil
}

// input fills in the script and the variables of another machine's contribution.
func (b *builder) input(from step.Input) (Input, error) {
	common, ok := b.common[from.Node]
	if !ok {
		return Input{}, fmt.Errorf("input %s comes from %q, which is not a machine of the lab", from.Script, from.Node)
	}
	script, err := b.script(from.Script)
	if err != nil {
		return Input{}, err
	}
	vars := common.Mentioned(script.Text)
	maps.Copy(vars, from.Vars)
	return Input{Node: from.Node, Script: script, Vars: vars}, nil
}

// script reads a built-in script with the library files that it takes in, in a form that runs alone.
func (b *builder) script(name string) (Script, error) {
	if s, ok := b.scripts[name]; ok {
		return s, nil
	}
	text, err := step.Text(b.guest, name)
	if err != nil {
		return Script{}, err
	}
	b.scripts[name] = Script{Name: name, Text: text}
	return b.scripts[name], nil
}
