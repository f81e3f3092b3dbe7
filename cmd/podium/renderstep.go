package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"podium/provision/engine"
	"podium/provision/plan"
)

// renderStep writes what a node gets for a step into a folder of its own: script, variables, files, probe.
func (a *app) renderStep(where labRef, provider, name, node, folder string) error {
	b, err := a.described(where, provider)
	if err != nil {
		return err
	}
	task, err := taskOf(b.plan, name, node)
	if err != nil {
		return err
	}
	files, err := engine.RenderStep(task)
	if err != nil {
		return fail(exitUsage, "%w", err)
	}
	if folder == "" {
		folder = task.Node + "-" + task.Step
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return fmt.Errorf("write the step: %w: name another folder by --to", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("write the step: %w", err)
	}
	defer root.Close()
	for _, f := range files {
		path := filepath.FromSlash(f.Path)
		if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write the step: %w", err)
		}
		if err := root.WriteFile(path, []byte(f.Text), os.FileMode(f.Mode)); err != nil {
			return fmt.Errorf("write the step: %w", err)
		}
		fmt.Fprintln(a.stdout, filepath.Join(folder, path))
	}
	fmt.Fprintf(a.stdout, "copy %s to %s and run there: sudo bash run.sh\n", folder, task.Node)
	return nil
}

// taskOf finds the task of a step: on the node that was named, else on the first that has it.
func taskOf(p plan.Plan, name, node string) (plan.Task, error) {
	var names, nodes []string
	for _, t := range p.Tasks {
		if t.Step == name && (node == "" || t.Node == node) {
			return t, nil
		}
		if t.Step == name {
			nodes = append(nodes, t.Node)
		}
		if t.Step != plan.StepBoot && !slices.Contains(names, t.Step) {
			names = append(names, t.Step)
		}
	}
	if len(nodes) > 0 {
		return plan.Task{}, usage("step %s does not run on %q: it runs on %s", name, node, strings.Join(nodes, ", "))
	}
	return plan.Task{}, usage("no step of this lab is called %q", name).hinted("its steps: %s", strings.Join(names, ", "))
}
