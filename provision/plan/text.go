package plan

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"podium/provision/lab"
)

// Text writes the plan for people: machine by machine, each task with what it waits for. With reasons (nil: none), it
// says of each task why it runs; a task whose reason is missing or empty is done already.
func (p Plan) Text(w io.Writer, reasons map[TaskID]string) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %s, %s (%s)\n", p.Lab.Name, count(len(p.Machines), "machine"), count(len(p.Tasks), "task"), p.Lab.Provider)
	if reasons != nil {
		fmt.Fprintf(out, "%d to do, %d done already\n", p.pending(reasons), len(p.Tasks)-p.pending(reasons))
	}
	width := 0
	for _, t := range p.Tasks {
		width = max(width, len(t.Step))
	}
	for _, m := range p.Machines {
		fmt.Fprintf(out, "\n%s  %s  %s  %s\n", m.Name, m.Address, size(m), strings.Join(m.Roles, ", "))
		for _, t := range p.Tasks {
			if t.Node != m.Name {
				continue
			}
			line := fmt.Sprintf("  %s%-*s  %s", sign(reasons, t.ID), width, t.Step, t.About)
			if reasons[t.ID] != "" {
				line += " [" + reasons[t.ID] + "]"
			}
			if after := p.afterText(t); after != "" {
				line += "; after " + after
			}
			fmt.Fprintln(out, strings.TrimRight(line, " "))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// pending counts the tasks that have a reason to run.
func (p Plan) pending(reasons map[TaskID]string) int {
	n := 0
	for _, t := range p.Tasks {
		if reasons[t.ID] != "" {
			n++
		}
	}
	return n
}

// sign marks what will run and what is done.
func sign(reasons map[TaskID]string, id TaskID) string {
	switch {
	case reasons == nil:
		return ""
	case reasons[id] != "":
		return "+ "
	default:
		return "= "
	}
}

// afterText names what a task waits for: steps of its own machine by name, those of others with the machines.
func (p Plan) afterText(t Task) string {
	var own []string
	var steps []string
	nodes := map[string][]string{}
	for _, id := range t.After {
		node, step, _ := strings.Cut(string(id), "/")
		if node == t.Node {
			own = append(own, step)
			continue
		}
		if nodes[step] == nil {
			steps = append(steps, step)
		}
		nodes[step] = append(nodes[step], node)
	}
	slices.Sort(steps)
	for _, step := range steps {
		own = append(own, step+" on "+p.nodesText(nodes[step]))
	}
	return strings.Join(own, ", ")
}

// nodesText lists machines in the order of the lab, the first few by name.
func (p Plan) nodesText(names []string) string {
	const shown = 4
	var list []string
	for _, m := range p.Machines {
		if slices.Contains(names, m.Name) {
			list = append(list, m.Name)
		}
		if len(list) == shown && len(names) > shown {
			return fmt.Sprintf("%s and %d more", strings.Join(list, " "), len(names)-shown)
		}
	}
	return strings.Join(list, " ")
}

func size(m lab.Machine) string {
	return fmt.Sprintf("%s %s", count(m.CPUs, "CPU"), m.Memory)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
