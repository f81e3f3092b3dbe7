package plan

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"podium/provision/lab"
)

// Text writes the plan for people: machine by machine, each step with what it waits for. With reasons (nil: none), it
// says of each task why it runs; a task whose reason is missing or empty is done already. Lines get at most width
// columns (0: any number): what steps wait for is left out first, then what they are about is cut.
func (p Plan) Text(w io.Writer, reasons map[TaskID]string, width int) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %s on %s, %s", p.Lab.Name, count(len(p.Machines), "machine"), p.Lab.Provider, count(p.Steps(), "step"))
	if reasons != nil {
		switch todo, boots := p.pending(reasons); {
		case todo+boots == 0:
			fmt.Fprint(out, ": all done (=)")
		case boots > 0:
			fmt.Fprintf(out, ": %s to start and %d to do (+), %d done (=)", count(boots, "machine"), todo, p.Steps()-todo)
		default:
			fmt.Fprintf(out, ": %d to do (+), %d done (=)", todo, p.Steps()-todo)
		}
	}
	fmt.Fprintln(out)
	tasks := map[string][]Task{}
	for _, t := range p.Tasks {
		tasks[t.Node] = append(tasks[t.Node], t)
	}
	lines := p.lines(reasons)
	lines.fit(width)
	for _, m := range p.Machines {
		fmt.Fprintf(out, "\n%s\n", machineText(m))
		for _, t := range tasks[m.Name] {
			fmt.Fprintln(out, lines.text(t, sign(reasons, t.ID), reasons[t.ID]))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// taskLines are the columns of a plan's tasks.
type taskLines struct {
	names         nodeNames
	steps, abouts int // widths
	width         int // of the whole without what steps wait for
	after         bool
}

func (p Plan) lines(reasons map[TaskID]string) *taskLines {
	l := &taskLines{names: p.nodeNames(), after: true}
	for _, t := range p.Tasks {
		l.steps, l.abouts = max(l.steps, len(t.Step)), max(l.abouts, len(t.About))
	}
	for _, t := range p.Tasks {
		l.width = max(l.width, len(l.text(Task{Step: t.Step, About: t.About}, sign(reasons, t.ID), reasons[t.ID])))
	}
	return l
}

// leastAbout is how much is left of what a step is about, on the narrowest terminal.
const leastAbout = 12

// roomForAfter is the room without which what steps wait for is left out.
const roomForAfter = 40

// fit makes the lines narrower.
func (l *taskLines) fit(width int) {
	if width <= 0 || l.width+roomForAfter <= width {
		return
	}
	l.after = false
	if l.width > width {
		l.abouts = max(l.abouts-(l.width-width), leastAbout)
	}
}

func (l *taskLines) text(t Task, sign, reason string) string {
	about := t.About
	if len(about) > l.abouts {
		about = about[:l.abouts-2] + ".."
	}
	line := fmt.Sprintf("  %s%-*s  %-*s", sign, l.steps, t.Step, l.abouts, about)
	if reason != "" {
		line += "  (" + reason + ")"
	}
	if t.NotRehearsed {
		line += "  (not rehearsed)"
	}
	if l.after && len(t.After) > 0 {
		line += "  after " + l.names.after(t)
	}
	return strings.TrimRight(line, " ")
}

// pending counts the steps that have a reason to run, and the machines that have one to be started.
func (p Plan) pending(reasons map[TaskID]string) (steps, boots int) {
	for _, t := range p.Tasks {
		switch {
		case reasons[t.ID] == "":
		case t.Step == StepBoot:
			boots++
		default:
			steps++
		}
	}
	return steps, boots
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
