package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"podium/provision/event"
	"podium/provision/folder"
	"podium/provision/report"
)

const logsLong = `Show what happened. Without a node: the journal of the lab, all runs of podium, one line an event.
With a node: the output of the last run of its steps. With a node and a step: that of one step.
With --on or --role: the same for several nodes (podium logs --on "w*" kubeadm-join).
--follow goes on as more is written, until Ctrl-C; with a node alone it shows the node's part of
the journal.`

type logsFlags struct {
	output outputFlag
	follow bool
	lines  int
	on     selection
}

func (a *app) logsCommand() *cobra.Command {
	f := logsFlags{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:   "logs [LAB] [NODE [STEP]]",
		Short: "Show what happened on the nodes",
		Long:  logsLong,
		Example: `  podium logs                       # the journal
  podium logs cp                    # all steps of cp
  podium logs w2 kubeadm-join
  podium logs w2 kubeadm-join --follow
  podium logs -n 20`,
		Args:              args(0, 3, "a node and a step"),
		ValidArgsFunction: a.completeNodeStep,
		RunE: func(c *cobra.Command, given []string) error {
			labs, rest := splitLab(given)
			where, err := a.folder(labs)
			if err != nil {
				return err
			}
			if len(rest) > 2 {
				return usage("%s: too many arguments: %s", verbOf(c), quoteAll(rest[2:])).hinted("usage: %s", c.UseLine())
			}
			if f.on.given() {
				return a.logsOn(c.Context(), where, rest, f)
			}
			return a.logs(c.Context(), where, rest, f)
		},
	}
	a.addOutput(c, &f.output)
	a.addSelection(c, &f.on)
	c.Flags().BoolVarP(&f.follow, "follow", "f", false, "go on as more is written")
	c.Flags().IntVarP(&f.lines, "lines", "n", -1, "only the last `number` of lines")
	return c
}

func (a *app) logs(ctx context.Context, where labRef, rest []string, f logsFlags) error {
	if !where.state.Exists() {
		return fail(exitFailed, "this lab has no logs yet").hinted("make it: podium up%s", where.arg)
	}
	if len(rest) == 0 {
		show := journalText
		if f.output.json() {
			show = func(line []byte) string { return string(line) }
		}
		return a.showFile(ctx, where.state.Path("journal.ndjson"), f, show)
	}
	if f.output.json() {
		return usage("-o json is for the journal: leave node and step out")
	}
	if len(rest) == 2 {
		path, err := logOf(where, rest[0], rest[1])
		if err != nil {
			return err
		}
		return a.showFile(ctx, path, f, plainLine)
	}
	if f.follow {
		return a.showFile(ctx, where.state.Path("journal.ndjson"), f, journalOf(rest[:1]))
	}
	paths, err := logsOf(where, rest[0])
	if err != nil {
		return err
	}
	return a.showLogs(ctx, paths, f, stepOf)
}

// logsOn shows the logs of the nodes that --on and --role choose: of all their steps, or of one.
func (a *app) logsOn(ctx context.Context, where labRef, rest []string, f logsFlags) error {
	if len(rest) > 1 {
		return usage("a node is named twice, as %q and by --on or --role: leave one out", rest[0])
	}
	b, err := a.remembered(where)
	if err != nil {
		return err
	}
	nodes, err := b.selectNodes(f.on)
	if err != nil {
		return err
	}
	if f.follow {
		return a.showFile(ctx, where.state.Path("journal.ndjson"), f, journalOf(nodes))
	}
	var paths []string
	for _, node := range nodes {
		if len(rest) == 0 {
			of, err := logsOf(where, node)
			if err != nil {
				return err
			}
			paths = append(paths, of...)
		} else if path, err := logOf(where, node, rest[0]); err == nil {
			paths = append(paths, path) // a step need not be on all nodes
		}
	}
	if len(paths) == 0 {
		return usage("no log of step %q on %s", rest[0], listNames(nodes))
	}
	return a.showLogs(ctx, paths, f, func(path string) string { return filepath.Base(filepath.Dir(path)) + "/" + stepOf(path) })
}

// showLogs prints several logs, each below its title.
func (a *app) showLogs(ctx context.Context, paths []string, f logsFlags, title func(path string) string) error {
	for i, path := range paths {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "==> %s <==\n", title(path))
		if err := a.showFile(ctx, path, f, plainLine); err != nil {
			return err
		}
	}
	return nil
}

func plainLine(line []byte) string { return report.Clean(string(line)) }

// stepOf is the step whose log a file is.
func stepOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".log") }

// logOf finds the log of a step on a node.
func logOf(where labRef, node, step string) (string, error) {
	path, err := where.state.LogPath(node, step)
	if err != nil {
		return "", usage("%w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	paths, err := logsOf(where, node)
	if err != nil {
		return "", err
	}
	var steps []string
	for _, p := range paths {
		steps = append(steps, stepOf(p))
	}
	return "", usage("no log of step %q on %s: there are %s", step, node, strings.Join(steps, ", "))
}

// logsOf lists the logs of a node, oldest first.
func logsOf(where labRef, node string) ([]string, error) {
	if _, err := where.state.LogPath(node, "x"); err != nil {
		return nil, usage("%w", err)
	}
	entries, err := where.state.Files().ReadDir(filepath.Join("logs", node))
	if errors.Is(err, fs.ErrNotExist) {
		nodes, _ := where.state.Files().ReadDir("logs")
		var names []string
		for _, n := range nodes {
			names = append(names, n.Name())
		}
		slices.SortFunc(names, naturalOrder)
		return nil, usage("no logs of node %q: there are logs of %s", node, shortList(names, 12))
	}
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", node, err)
	}
	type entry struct {
		path string
		time time.Time
	}
	var logs []entry
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasSuffix(e.Name(), ".log") {
			logs = append(logs, entry{where.state.Path("logs", node, e.Name()), info.ModTime()})
		}
	}
	slices.SortStableFunc(logs, func(a, b entry) int { return a.time.Compare(b.time) })
	paths := make([]string, len(logs))
	for i, l := range logs {
		paths[i] = l.path
	}
	return paths, nil
}

// journalText is a line of the journal for people.
func journalText(line []byte) string {
	var e event.Event
	if json.Unmarshal(line, &e) != nil {
		return ""
	}
	text := report.Line(e, true)
	if e.Kind == event.RunFinished {
		text = "run finished in " + report.Duration(e.Duration)
		if e.Error != "" {
			text = "run failed after " + report.Duration(e.Duration)
		}
	}
	if text == "" {
		return ""
	}
	return e.Time.Local().Format(time.DateTime) + "  " + text
}

// journalOf shows the journal's lines about some nodes.
func journalOf(nodes []string) func([]byte) string {
	return func(line []byte) string {
		var e event.Event
		if json.Unmarshal(line, &e) != nil || !slices.Contains(nodes, e.Node) {
			return ""
		}
		return journalText(line)
	}
}

// pollInterval is how often a followed file is looked at.
const pollInterval = 200 * time.Millisecond

// showFile prints a file line by line as show words them, and goes on with it when it is followed. A file that does
// not exist yet is empty.
func (a *app) showFile(ctx context.Context, path string, f logsFlags, show func([]byte) string) error {
	r := &tailReader{path: path}
	defer r.close()
	var last []string
	err := r.read(func(line []byte) {
		text := show(line)
		switch {
		case text == "" && len(line) > 0:
		case f.lines < 0:
			fmt.Fprintln(a.stdout, text)
		case f.lines > 0:
			last = append(last, text)
			if len(last) > f.lines {
				last = last[1:]
			}
		}
	})
	if err != nil {
		return err
	}
	for _, text := range last {
		fmt.Fprintln(a.stdout, text)
	}
	for f.follow {
		select {
		case <-ctx.Done():
			return nil // ending it is how following ends
		case <-time.After(pollInterval):
		}
		if a.stdout.Gone() {
			return nil
		}
		err := r.read(func(line []byte) {
			if text := show(line); text != "" || len(line) == 0 {
				fmt.Fprintln(a.stdout, text)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tailReader reads a growing file in whole lines, and starts over when a new file has taken its place.
type tailReader struct {
	path   string
	file   *os.File
	reader *bufio.Reader
	rest   []byte
}

func (r *tailReader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

// read hands out the lines that are there.
func (r *tailReader) read(each func([]byte)) error {
	if r.replaced() {
		r.close()
		r.rest = nil
	}
	if r.file == nil {
		file, err := folder.At(filepath.Dir(r.path)).Open(filepath.Base(r.path))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		r.file, r.reader = file, bufio.NewReaderSize(file, 64<<10)
	}
	for {
		part, err := r.reader.ReadSlice('\n')
		r.rest = append(r.rest, part...)
		switch {
		case err == nil:
			each(r.rest[:len(r.rest)-1])
			r.rest = r.rest[:0]
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return fmt.Errorf("read log: %w", err)
		}
	}
}

// replaced reports whether the path names another file now, or the same one cut short.
func (r *tailReader) replaced() bool {
	if r.file == nil {
		return false
	}
	now, err := os.Stat(r.path)
	if err != nil {
		return false // between two files, or gone: what is open can still be read
	}
	opened, err := r.file.Stat()
	if err != nil || !os.SameFile(now, opened) {
		return true
	}
	at, err := r.file.Seek(0, io.SeekCurrent)
	return err == nil && now.Size() < at
}
