package engine

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"podium/provision/event"
	"podium/provision/remote"
	"podium/provision/state"
)

// keptLines is how many of its last lines a failed step shows.
const keptLines = 12

// output takes what a step says: every line goes to its log and to the watchers, the last ones are kept for the error.
// Secrets are blotted out first.
type output struct {
	node, step string
	log        *state.Log
	sink       event.Sink
	hide       *strings.Replacer
	lines      io.WriteCloser // splits into lines

	mu     sync.Mutex
	last   []string
	logErr error // of the first failed write
}

func newOutput(node, step string, log *state.Log, sink event.Sink) *output {
	o := &output{node: node, step: step, log: log, sink: sink, hide: strings.NewReplacer()}
	o.lines = remote.Lines(o.line)
	return o
}

// Write takes a piece of output.
func (o *output) Write(p []byte) (int, error) { return o.lines.Write(p) }

// try starts the output of another try.
func (o *output) try(number int, now time.Time) error {
	_, err := fmt.Fprintf(o.log, "# %s/%s, try %d, %s\n", o.node, o.step, number, now.Format(time.RFC3339))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = nil
	return err
}

// line takes one line.
func (o *output) line(text string) {
	o.mu.Lock()
	text = o.hide.Replace(text)
	if len(o.last) == keptLines {
		o.last = append(o.last[:0], o.last[1:]...)
	}
	o.last = append(o.last, text)
	o.mu.Unlock()
	if _, err := io.WriteString(o.log, text+"\n"); err != nil {
		o.mu.Lock()
		o.logErr = cmp.Or(o.logErr, err)
		o.mu.Unlock()
	}
	o.sink.Emit(event.Event{Time: time.Now(), Kind: event.TaskOutput, Node: o.node, Step: o.step, Text: text})
}

// conceal has the values blotted out from now on.
func (o *output) conceal(secrets []string) {
	hide := replacer(secrets)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hide = hide
}

// concealed blots out values that the step itself has just reported, also where it has printed them already.
func (o *output) concealed(secrets, known []string) {
	if len(secrets) == 0 {
		return
	}
	o.flush()
	o.conceal(slices.Concat(known, secrets))
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, line := range o.last {
		o.last[i] = o.hide.Replace(line)
	}
	o.logErr = cmp.Or(o.logErr, o.log.Edit(o.hide.Replace))
}

// flush takes the end of a last line without line end.
func (o *output) flush() { _ = o.lines.Close() } // never fails

// tail is the last lines.
func (o *output) tail() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.last)
}

// clean is text without the secrets.
func (o *output) clean(text string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hide.Replace(text)
}

// failed is why the log could not be written, if it could not.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.logErr
}

// shortSecret is the length in bytes below which a value is not blotted out: it would stand in ordinary text.
const shortSecret = 6

// replacer blots out secrets, line by line as they would be printed.
func replacer(secrets []string) *strings.Replacer {
	var parts []string
	for _, s := range secrets {
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); len(line) >= shortSecret {
				parts = append(parts, line)
			}
		}
	}
	slices.Sort(parts)
	parts = slices.Compact(parts)
	// The replacer takes the first that fits: a secret that begins with another one has to stand before it.
	slices.SortStableFunc(parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(parts))
	for _, p := range parts {
		pairs = append(pairs, p, "[secret]")
	}
	return strings.NewReplacer(pairs...)
}
