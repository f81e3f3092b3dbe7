// Package report tells people and machines what a run did: the summary at the end of up as text, JSON and JUnit, and
// the run's events as plain lines and NDJSON.
package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/plan"
)

// Options say what a summary needs to know beside the run itself.
type Options struct {
	LabArg string // what the user has to write after a verb to mean this lab: " labs/docker", or empty
	Width  int    // columns of the terminal it is written to; 0: any number
	Color  bool   // the place it is written to shows ANSI colours
}

// paint puts a colour on the words that say how it went.
func (o Options) paint(color ansi.BasicColor, text string) string {
	if !o.Color {
		return text
	}
	return ansi.NewStyle().Bold().ForegroundColor(color).Styled(text)
}

// Text writes the summary of a run of up for people: what is where, how to log in, how long each part took; or
// what failed and how to go on.
func Text(w io.Writer, s engine.Summary, o Options) {
	n := countOutcomes(s)
	headline(w, s, n, o)
	writeFailures(w, s.Failures, o)
	if n.notReady() {
		writeUndone(w, s)
		if len(s.Failures) > 0 && n.cancelled == 0 { // an interruption is reported elsewhere
			fmt.Fprintf(w, "\nThe machines are kept. Go on with: podium up%s\n", o.LabArg)
		}
		return
	}
	writeNodes(w, s, o)
	writePlaces(w, s, o)
	writeTimes(w, s)
	writeNext(w, s, o)
}

// outcomes counts steps by how they ended, and machines that did not boot.
type outcomes struct{ steps, done, skipped, notRehearsed, failed, blocked, cancelled, down, unchecked int }

func (n outcomes) notReady() bool { return n.failed+n.blocked+n.cancelled+n.down+n.unchecked > 0 }

func countOutcomes(s engine.Summary) outcomes {
	n := outcomes{unchecked: len(s.Unchecked)}
	for _, t := range s.Tasks {
		if t.Step == plan.StepBoot {
			if t.Outcome != engine.Done && t.Outcome != engine.Skipped {
				n.down++
			}
			continue
		}
		n.steps++
		switch t.Outcome {
		case engine.Done:
			n.done++
		case engine.Skipped:
			n.skipped++
		case engine.NotRehearsed:
			n.notRehearsed++
		case engine.Failed:
			n.failed++
		case engine.Blocked:
			n.blocked++
		default:
			n.cancelled++
		}
	}
	return n
}

func headline(w io.Writer, s engine.Summary, n outcomes, o Options) {
	var parts []string
	add := func(n int, format string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, n))
		}
	}
	if !n.notReady() {
		what := "node"
		if s.Provider == lab.ProviderSim {
			what = "simulated node"
		}
		add(n.done, "%d done now")
		add(n.skipped, "%d with nothing to do")
		add(n.notRehearsed, "%d not rehearsed")
		ready, nodes := s.Lab+" is ready", count(len(s.Nodes), what)
		if len(s.Resting) > 0 {
			ready, nodes = s.Lab+" is ready in part", fmt.Sprintf("%d of %s", len(s.Nodes), count(len(s.Nodes)+len(s.Resting), what))
		}
		fmt.Fprintf(w, "%s: %s, %s: %s; took %s\n", o.paint(ansi.Green, ready), nodes, count(n.steps, "step"),
			strings.Join(parts, ", "), Duration(s.Duration))
		return
	}
	add(n.down, "%d not booted")
	add(n.unchecked, "%d not seen to work since the start")
	add(n.failed, "%d failed")
	add(n.blocked, "%d wait for what failed")
	add(n.cancelled, "%d not finished")
	add(n.done, "%d done now")
	add(n.skipped, "%d with nothing to do")
	add(n.notRehearsed, "%d not rehearsed")
	fmt.Fprintf(w, "%s: of %s and %s %s; took %s\n", o.paint(ansi.Red, s.Lab+" is not ready"), count(len(s.Nodes), "machine"), count(n.steps, "step"), strings.Join(parts, ", "), Duration(s.Duration))
}

// writeFailures shows each failure; where a step failed on several nodes for the same reason, once with the output of
// the first.
func writeFailures(w io.Writer, failures []*engine.TaskError, o Options) {
	type kind struct{ step, reason, hint string }
	nodes := map[kind][]string{}
	for _, f := range failures {
		k := kind{f.Step, firstLine(f.Err), f.Hint}
		nodes[k] = append(nodes[k], f.Node)
	}
	for _, f := range failures {
		k := kind{f.Step, firstLine(f.Err), f.Hint}
		all := nodes[k]
		if all[0] != f.Node {
			continue
		}
		what := string(f.ID)
		if len(all) > 1 {
			what = fmt.Sprintf("%s on %s", f.Step, strings.Join(all, ", "))
		}
		fmt.Fprintf(w, "\n%s %s: %s\n", o.paint(ansi.Red, "FAILED"), what, k.reason)
		for _, line := range f.Last {
			fmt.Fprintf(w, "    %s\n", Clean(line))
		}
		if f.Hint != "" {
			fmt.Fprintf(w, "  hint: %s\n", f.Hint)
		}
		switch {
		case f.Log != "" && len(all) > 1:
			fmt.Fprintf(w, "  log:  %s (%s)\n", f.Log, f.Node)
		case f.Log != "":
			fmt.Fprintf(w, "  log:  %s\n", f.Log)
		}
	}
}

func firstLine(err error) string {
	if err == nil {
		return "failed"
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return Clean(line)
}

// writeUndone names what was not reached: nodes with the same steps together.
func writeUndone(w io.Writer, s engine.Summary) {
	var order []string
	nodes := map[string][]string{}
	for _, node := range s.Nodes {
		var steps []string
		for _, task := range s.Tasks {
			if task.Node == node.Name && (task.Outcome == engine.Blocked || task.Outcome == engine.Cancelled) {
				steps = append(steps, task.Step)
			}
		}
		list := strings.Join(steps, ", ")
		if list != "" && nodes[list] == nil {
			order = append(order, list)
		}
		nodes[list] = append(nodes[list], node.Name)
	}
	if len(order) == 0 {
		return
	}
	fmt.Fprintf(w, "\nNot done yet:\n")
	for _, list := range order {
		fmt.Fprintf(w, "  %s: %s\n", strings.Join(nodes[list], ", "), list)
	}
}

func writeNodes(w io.Writer, s engine.Summary, o Options) {
	fmt.Fprintln(w)
	t := Table{Indent: "  ", Head: []string{"NODE", "ROLES", "ADDRESS", "SSH", "TIME"}, Width: o.Width, Spare: []string{"ROLES", "ADDRESS"}}
	for _, n := range s.Nodes {
		t.Row(n.Name, strings.Join(n.Roles, ","), n.Address, endpoint(n), orDash(spent(s, n.Name)))
	}
	t.Write(w)
}

func endpoint(n engine.NodeResult) string {
	if n.Endpoint == nil {
		return "-"
	}
	e := n.Endpoint
	if e.Port == 0 || e.Port == 22 {
		return fmt.Sprintf("%s@%s", e.User, e.Host)
	}
	return fmt.Sprintf("%s@%s:%d", e.User, e.Host, e.Port)
}

// orDash leaves out the time of a node on which nothing had to be done.
func orDash(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return Duration(d)
}

// spent is the time in which a task ran on the node, overlaps counted once.
func spent(s engine.Summary, node string) time.Duration {
	type span struct{ from, to time.Duration }
	var spans []span
	for _, t := range s.Tasks {
		if t.Node == node && t.Duration > 0 {
			spans = append(spans, span{t.Start, t.Start + t.Duration})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var total, end time.Duration
	for _, p := range spans {
		if p.to <= end {
			continue
		}
		total += p.to - max(p.from, end)
		end = p.to
	}
	return total
}

// writePlaces lists the web pages that steps reported.
func writePlaces(w io.Writer, s engine.Summary, o Options) {
	t := Table{Indent: "  "}
	for _, n := range s.Nodes {
		for _, p := range Places(n.Facts) {
			about := "on " + n.Name
			if p.User != "" {
				about += ", user " + p.User
			}
			if slices.Contains(n.Secrets, p.SecretKey()) {
				about += ", password: podium status" + o.LabArg + " --secrets"
			}
			t.Row(p.Name, p.URL, about)
		}
	}
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", OpenHead(s.Provider))
	t.Write(w)
}

// writeTimes says how long each step took: the longest of its nodes counts, as nodes work side by side.
func writeTimes(w io.Writer, s engine.Summary) {
	type part struct {
		step    string
		nodes   int
		longest time.Duration
		node    string
	}
	var parts []*part
	byStep := map[string]*part{}
	for _, t := range s.Tasks {
		if t.Outcome != engine.Done {
			continue
		}
		p := byStep[t.Step]
		if p == nil {
			p = &part{step: t.Step}
			byStep[t.Step] = p
			parts = append(parts, p)
		}
		p.nodes++
		if p.node == "" || t.Duration > p.longest {
			p.longest, p.node = t.Duration, t.Node
		}
	}
	if len(parts) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := Table{Indent: "  ", Head: []string{"STEP", "NODES", "LONGEST", "ON"}}
	for _, p := range parts {
		t.Row(p.step, fmt.Sprint(p.nodes), Duration(p.longest), p.node)
	}
	t.Write(w)
	if s.Critical > 0 {
		fmt.Fprintf(w, "  The longest chain of tasks took %s of %s.\n", Duration(s.Critical), Duration(s.Duration))
	}
}

func writeNext(w io.Writer, s engine.Summary, o Options) {
	if len(s.Resting) > 0 {
		fmt.Fprintf(w, "\nNot part of this run: %s. For the whole lab: podium up%s\n", strings.Join(s.Resting, ", "), o.LabArg)
	}
	if len(s.Removed) > 0 {
		fmt.Fprintf(w, "\nNo longer in lab.yaml, but kept: %s. To remove: podium up%s --prune\n",
			strings.Join(s.Removed, ", "), o.LabArg)
	}
	if len(s.Left) > 0 {
		var steps []string
		for _, id := range s.Left {
			steps = append(steps, string(id))
		}
		fmt.Fprintf(w, "\nNo longer in lab.yaml, but left as it is: %s. podium undoes no steps: remove it by hand, or run podium destroy%s\n",
			strings.Join(steps, ", "), o.LabArg)
	}
	if len(s.Nodes) == 0 {
		return
	}
	fmt.Fprintf(w, "\nLog in: podium ssh%s %s", o.LabArg, s.Nodes[0].Name)
	if s.Baseline != "" {
		fmt.Fprintf(w, "    Back to this state: podium reset%s", o.LabArg)
	}
	fmt.Fprintln(w)
}
