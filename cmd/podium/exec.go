package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"podium/provision/remote"
	"podium/provision/report"
)

const execLong = `Run a command on nodes, all at once, and show each line of output behind its node's name. Without
--on and --role it runs on every node. Several words are passed on as they are; one word is a line
for the node's shell, so that pipes and variables work there.

What comes by a pipe or from a file goes to every node: podium exec -- bash -s < script.sh. In a
loop that reads its own input (while read), -n keeps podium from reading it.

On a terminal the colours of the output stay, and sequences that move the cursor or change the
terminal are left out; into a file or a pipe the output goes as it comes.

Exit code 0 means that the command succeeded everywhere; otherwise podium says where it did not.`

type execFlags struct {
	output   outputFlag
	on       selection
	group    bool
	sudo     bool
	parallel int
	timeout  timeLimit
	noStdin  bool
}

func (a *app) execCommand() *cobra.Command {
	f := execFlags{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:   "exec [LAB] -- COMMAND...",
		Short: "Run a command on nodes, all at once",
		Long:  execLong,
		Example: `  podium exec -- uptime
  podium exec --role worker --sudo -- systemctl restart kubelet
  podium exec --on w1,w2 -- "df -h / | tail -1"
  podium exec --group -- cat /etc/os-release
  podium exec --role worker -- bash -s < script.sh   # a script of this computer
  podium exec labs/docker -- docker ps`,
		Args:              args(1, -1, "a command"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			labs, command, err := splitCommand(c, given)
			if err != nil {
				return err
			}
			if len(command) == 0 {
				return usage("%s: missing argument: needs a command", verbOf(c)).hinted("usage: %s", c.UseLine())
			}
			if strings.TrimSpace(command[0]) == "" {
				return usage("%s: the command is empty: write it after --", verbOf(c)).hinted("usage: %s", c.UseLine())
			}
			if err := atLeastOne(c, "parallel"); err != nil {
				return err
			}
			where, err := a.labOf(c, labs)
			if err != nil {
				return err
			}
			if c.ArgsLenAtDash() < 0 && len(command) > 1 && a.isNode(where, command[0]) {
				return usage("%s is a node of this lab, not a command", command[0]).
					hinted("for that node: %s --on %s -- %s", c.CommandPath(), command[0], strings.Join(command[1:], " "))
			}
			return a.exec(c.Context(), where, command, f)
		},
	}
	a.addOutput(c, &f.output)
	a.addSelection(c, &f.on)
	flags := c.Flags()
	flags.BoolVarP(&f.group, "group", "g", false, "wait for all nodes and show identical output once")
	flags.BoolVar(&f.sudo, "sudo", false, "run as root")
	flags.IntVar(&f.parallel, "parallel", 0, "`number` of nodes at once (default: all)")
	flags.Var(&f.timeout, "timeout", "give up on a node after this `time`, such as 30s (default: never)")
	flags.BoolVarP(&f.noStdin, "no-stdin", "n", false, "leave stdin alone: the commands get an empty one")
	return c
}

// splitCommand parts a verb's words into the lab and the command. The command stands behind "--"; without that, all
// words but a leading lab belong to it.
func splitCommand(c *cobra.Command, given []string) (labs, command []string, err error) {
	dash := c.ArgsLenAtDash()
	if dash < 0 {
		labs, command = splitLab(given)
		return labs, command, nil
	}
	if dash > 1 {
		return nil, nil, usage("%s: too many arguments before --: %s", verbOf(c), quoteAll(given[1:dash])).hinted("usage: %s", c.UseLine())
	}
	return given[:dash], given[dash:], nil
}

// commandOf makes what a node runs of a command line's words.
func commandOf(words []string, sudo bool) remote.Command {
	if len(words) == 1 {
		return remote.Command{Shell: words[0], Sudo: sudo}
	}
	return remote.Command{Args: words, Sudo: sudo}
}

// answer is what a node gave.
type answer struct {
	stdout, stderr string
	code           int
}

func (a *app) exec(ctx context.Context, where labRef, words []string, f execFlags) error {
	b, err := a.reachable(ctx, where)
	if err != nil {
		return err
	}
	names, err := b.selectNodes(f.on)
	if err != nil {
		return err
	}
	// A hundred short commands leave little garbage: collecting it costs more than it frees (scripts/bench/exec.sh).
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	stdin, done, err := a.stdinForAll(f.noStdin)
	if err != nil {
		return err
	}
	defer done()
	collect := f.group || f.output.json()
	prefix := newPrefixer(a, names)
	outcomes := remote.Each(ctx, names, f.parallel, func(ctx context.Context, name string) (answer, error) {
		if limit := time.Duration(f.timeout); limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("no end within %s", limit))
			defer cancel()
		}
		client, err := a.connect(ctx, b, name)
		if err != nil {
			return answer{}, err
		}
		defer client.Close()
		command := commandOf(words, f.sudo)
		command.Stdin = stdin()
		if collect {
			return runCollected(ctx, client, command)
		}
		out, errs := prefix.writers(name)
		return runPrefixed(ctx, client, command, out, errs)
	})
	switch {
	case f.output.json():
		if err := a.printJSON(execDocument(outcomes)); err != nil {
			return err
		}
	case f.group:
		a.printGroups(outcomes)
	}
	return failedNodes(outcomes)
}

// stdinForAll gives each call of stdin a reader of the whole input; nil for none. done ends the reading.
func (a *app) stdinForAll(none bool) (stdin func() io.Reader, done func(), err error) {
	in := a.pipedInput()
	if none || in == nil {
		return func() io.Reader { return nil }, func() {}, nil
	}
	s, err := newSpool(in)
	if err != nil {
		return nil, nil, err
	}
	return s.reader, func() {
		if err := s.close(); err != nil {
			a.log.Warn("stdin", "error", err)
		}
	}, nil
}

// connect reaches a node as the last up did. It does not wait for one that is down.
func (a *app) connect(ctx context.Context, b *labSession, name string) (*remote.Client, error) {
	endpoint, err := b.endpoint(name)
	if err != nil {
		return nil, a.explain(ctx, b, name, err)
	}
	client, err := b.dialer.Connect(ctx, endpoint)
	if err != nil {
		return nil, a.explain(ctx, b, name, err)
	}
	return client, nil
}

// outputLimit bounds what is kept of a node's output for --group and JSON, in bytes.
const outputLimit = 8 << 20

// runCollected keeps the output.
func runCollected(ctx context.Context, client *remote.Client, command remote.Command) (answer, error) {
	var stdout, stderr limitedBuffer
	command.Stdout, command.Stderr = &stdout, &stderr
	result, err := client.Run(ctx, command)
	return answer{stdout.text(), stderr.text(), result.Code}, err
}

// limitedBuffer keeps the beginning of what is written.
type limitedBuffer struct {
	bytes.Buffer
	cut bool
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if room := outputLimit - l.Len(); len(p) > room {
		l.cut = true
		l.Buffer.Write(p[:room])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}

func (l *limitedBuffer) text() string {
	s := strings.ToValidUTF8(l.String(), "\uFFFD")
	if l.cut {
		s += "\n[cut]\n"
	}
	return s
}

// runPrefixed shows the output as it comes.
func runPrefixed(ctx context.Context, client *remote.Client, command remote.Command, out, errs io.WriteCloser) (answer, error) {
	command.Stdout, command.Stderr = out, errs
	result, err := client.Run(ctx, command)
	_ = out.Close()
	_ = errs.Close()
	return answer{code: result.Code}, err
}

// prefixer puts the node's name before each line, in a colour of its own on a terminal.
type prefixer struct {
	app   *app
	mu    sync.Mutex
	width int
	look  style
	order map[string]int
}

func newPrefixer(a *app, names []string) *prefixer {
	p := &prefixer{app: a, look: newLook(a.screen), order: map[string]int{}}
	for i, name := range names {
		p.width = max(p.width, len(name))
		p.order[name] = i
	}
	return p
}

// writers gives a node's two outputs.
func (p *prefixer) writers(name string) (out, errs io.WriteCloser) {
	colors := []ansi.BasicColor{ansi.Cyan, ansi.Green, ansi.Yellow, ansi.Magenta, ansi.Blue}
	label := p.look.paint(ansi.NewStyle().ForegroundColor(colors[p.order[name]%len(colors)]), fmt.Sprintf("%-*s", p.width, name))
	to := func(w, end io.Writer) io.WriteCloser {
		return remote.Lines(func(line string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if strings.Contains(line, "\x1b[") && isTerminal(end) {
				line += "\x1b[m" // colours end with the line
			}
			fmt.Fprintf(w, "%s | %s\n", label, line)
		})
	}
	return to(p.app.stdout, p.app.Stdout), to(p.app.stderr, p.app.Stderr)
}

// printGroups shows each different answer once, with the nodes that gave it.
func (a *app) printGroups(outcomes []remote.Outcome[answer]) {
	type group struct {
		answer
		nodes []string
	}
	var groups []*group
	byAnswer := map[answer]*group{}
	for _, o := range outcomes {
		if o.Err != nil && !isExit(o.Err) {
			continue // named at the end
		}
		g := byAnswer[o.Value]
		if g == nil {
			g = &group{answer: o.Value}
			byAnswer[o.Value] = g
			groups = append(groups, g)
		}
		g.nodes = append(g.nodes, o.Name)
	}
	l := newLook(a.screen)
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		head := joinNames(g.nodes, ",")
		if len(g.nodes) > 1 {
			head += fmt.Sprintf(" (%d nodes)", len(g.nodes))
		}
		if g.code != 0 {
			head += fmt.Sprintf(" exit code %d", g.code)
		}
		fmt.Fprintln(a.stdout, l.bold(head+":"))
		for _, text := range []string{g.stdout, g.stderr} {
			for line := range strings.Lines(text) {
				fmt.Fprintf(a.stdout, "  %s\n", strings.TrimRight(line, "\r\n"))
			}
		}
	}
}

type execJSON struct {
	Node     string        `json:"node"`
	Code     int           `json:"code"` // -1: the command did not end by itself
	Stdout   string        `json:"stdout"`
	Stderr   string        `json:"stderr"`
	Error    string        `json:"error,omitempty"`
	Duration time.Duration `json:"duration_ns"`
}

func execDocument(outcomes []remote.Outcome[answer]) []execJSON {
	results := []execJSON{}
	for _, o := range outcomes {
		r := execJSON{Node: o.Name, Code: o.Value.code, Stdout: o.Value.stdout, Stderr: o.Value.stderr, Duration: o.Duration}
		if o.Err != nil && !isExit(o.Err) {
			r.Code, r.Error = -1, o.Err.Error()
		}
		results = append(results, r)
	}
	return results
}

func isExit(err error) bool {
	var exit *remote.ExitError
	return errors.As(err, &exit)
}

// failedNodes names the nodes where a fan-out failed, those with the same reason together; nil if there are none.
func failedNodes[T any](outcomes []remote.Outcome[T]) error {
	var reasons []string
	nodes := map[string][]string{}
	failed := 0
	for _, o := range outcomes {
		if o.Err == nil {
			continue
		}
		failed++
		reason := reasonOf(o.Name, o.Err)
		if nodes[reason] == nil {
			reasons = append(reasons, reason)
		}
		nodes[reason] = append(nodes[reason], o.Name)
	}
	if failed == 0 {
		return nil
	}
	var lines []string
	for _, reason := range reasons {
		lines = append(lines, fmt.Sprintf("%s: %s", joinNames(nodes[reason], ","), reason))
	}
	return fail(exitFailed, "failed on %d of %d nodes", failed, len(outcomes)).hinted("%s", strings.Join(lines, "\n"))
}

// innermost is what an error comes down to, such as "connection refused".
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// reasonOf words an error of a node without the node's name, so that equal reasons are equal.
func reasonOf(name string, err error) string {
	var exit *remote.ExitError
	if errors.As(err, &exit) && !errors.Is(err, remote.ErrSudo) {
		if exit.Signal != "" {
			return "ended by signal " + exit.Signal
		}
		return fmt.Sprintf("exit code %d", exit.Code)
	}
	var away *remote.UnreachableError
	if errors.As(err, &away) {
		return fmt.Sprintf("%v: %s", remote.ErrUnreachable, report.Clean(innermost(away.Cause).Error()))
	}
	parts := slices.DeleteFunc(strings.Split(err.Error(), ": "), func(part string) bool { return part == name })
	return strings.ReplaceAll(strings.Join(parts, ": "), "\n", " ")
}
