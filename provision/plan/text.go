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
	fmt.Fprintf(out, "%s: %s on %s, %s", p.Lab.Name, count(len(p.Machines), "machine"), p.Lab.Provider, count(len(p.Tasks), "task"))
	if reasons != nil {
		todo := p.pending(reasons)
		fmt.Fprintf(out, ": %d to do (+), %d done (=)", todo, len(p.Tasks)-todo)
	}
	fmt.Fprintln(out)
	tasks := map[string][]Task{}
	var steps, abouts int // widths
	for _, t := range p.Tasks {
		tasks[t.Node] = append(tasks[t.Node], t)
		steps, abouts = max(steps, len(t.Step)), max(abouts, len(t.About))
	}
	names := p.nodeNames()
	for _, m := range p.Machines {
		fmt.Fprintf(out, "\n%s\n", machineText(m))
		for _, t := range tasks[m.Name] {
			line := fmt.Sprintf("  %s%-*s  %-*s", sign(reasons, t.ID), steps, t.Step, abouts, t.About)
			if len(t.After) > 0 {
				line += "  after " + names.after(t)
			}
			if reason := reasons[t.ID]; reason != "" {
				line += "  (" + reason + ")"
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

// machineText is the line above a machine's tasks.
func machineText(m lab.Machine) string {
	address := "no address"
	if m.Address.IsValid() {
		address = m.Address.String()
	}
	line := fmt.Sprintf("%s  %s  %s, %s", m.Name, address, count(m.CPUs, "CPU"), m.Memory)
	if len(m.Roles) > 0 {
		line += "  " + strings.Join(m.Roles, ", ")
	}
	return line
}

// nodeNames are the machines of a plan, each with its place in the lab.
type nodeNames map[string]int

func (p Plan) nodeNames() nodeNames {
	names := nodeNames{}
	for i, m := range p.Machines {
		names[m.Name] = i
	}
	return names
}

// after names what a task waits for: steps of its own machine by name, those of others with the machines.
func (names nodeNames) after(t Task) string {
	var list, steps []string
	nodes := map[string][]string{}
	for _, id := range t.After {
		node, step, _ := strings.Cut(string(id), "/")
		if node == t.Node {
			list = append(list, step)
			continue
		}
		if nodes[step] == nil {
			steps = append(steps, step)
		}
		nodes[step] = append(nodes[step], node)
	}
	slices.Sort(steps)
	for _, step := range steps {
		list = append(list, step+" on "+names.some(nodes[step]))
	}
	return strings.Join(list, ", ")
}

// some lists machines in the order of the lab: a few by name, more by number.
func (names nodeNames) some(nodes []string) string {
	const shown = 4
	slices.SortFunc(nodes, func(a, b string) int { return names[a] - names[b] })
	if len(nodes) <= shown {
		return strings.Join(nodes, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(nodes[:shown-1], " "), len(nodes)-shown+1)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
