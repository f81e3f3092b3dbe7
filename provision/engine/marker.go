package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"podium/provision/plan"
)

// marker is what a node keeps of a step that was done on it: /var/lib/podium/steps/STEP.
type marker struct {
	Digest plan.Digest
	Done   time.Time
	Facts  map[string]string
}

// inspection is a node's answer to scripts/guest/lib/look.sh.
type inspection struct {
	Markers map[string]marker
	Units   map[string]string // systemd's word for each unit asked for
}

// answer is what scripts/guest/lib/runner.sh says of one bundle: the marker's lines, how far it got, how it ended.
type answer struct {
	Marker marker
	Probed bool // the script has ended well and the probe began
	Exit   int  // -1: the runner did not come to its end
}

// maxAnswer bounds what a node may answer on standard output, in bytes. Facts are for addresses and passwords.
const maxAnswer = 1 << 20

// errTorn is an answer that was cut off on its way.
var errTorn = errors.New("answer was cut off")

// parseInspection reads the answer to look.sh. Lines it does not know are left out, so that a newer node's words do not
// stop an older podium.
func parseInspection(text []byte) (inspection, error) {
	l := inspection{Markers: map[string]marker{}, Units: map[string]string{}}
	step, whole := "", false
	err := eachPair(text, func(key, value string) {
		unit, isUnit := strings.CutPrefix(key, "unit.")
		switch {
		case key == "step":
			step = value
			l.Markers[step] = marker{}
		case key == "end":
			whole = true
		case isUnit:
			l.Units[unit] = value
		case step != "":
			m := l.Markers[step]
			m.set(key, value)
			l.Markers[step] = m
		}
	})
	if err == nil && !whole {
		err = errTorn
	}
	return l, err
}

// parseAnswer reads what runner.sh printed.
func parseAnswer(text []byte) (answer, error) {
	r := answer{Exit: -1}
	err := eachPair(text, func(key, value string) {
		switch key {
		case "exit":
			if code, err := strconv.Atoi(value); err == nil {
				r.Exit = code
			}
		case "probe":
			r.Probed = true
		default:
			r.Marker.set(key, value)
		}
	})
	return r, err
}

// set takes in one line of a marker.
func (m *marker) set(key, value string) {
	switch key {
	case "digest.script":
		m.Digest.Script = value
	case "digest.vars":
		m.Digest.Vars = value
	case "digest.files":
		m.Digest.Files = value
	case "done":
		if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
			m.Done = time.Unix(seconds, 0)
		}
	default:
		name, ok := strings.CutPrefix(key, "fact.")
		if !ok || name == "" {
			return
		}
		if m.Facts == nil {
			m.Facts = map[string]string{}
		}
		m.Facts[name] = value
	}
}

func eachPair(text []byte, do func(key, value string)) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), "="); ok {
			do(key, value)
		}
	}
	return lines.Err()
}

// Reasons for a task to run.
const (
	reasonMissing = "missing"
	reasonCutOff  = "was not finished"
	reasonForced  = "forced"
)

// reason says why a step has to run, going by the marker its node has; empty: it is done as the plan wants it.
//
// Only digests decide. That a step before it ran again is no reason: what a step takes from another one is in its
// variables or its inputs, and every script can be run again alone (see UpOptions.Force).
func reason(m marker, ok bool, want plan.Digest) string {
	switch {
	case !ok:
		return reasonMissing
	case m.Digest == (plan.Digest{}):
		return reasonCutOff
	}
	var changed []string
	for _, part := range []struct{ name, has, want string }{
		{"script", m.Digest.Script, want.Script},
		{"variables", m.Digest.Vars, want.Vars},
		{"files", m.Digest.Files, want.Files},
	} {
		if part.has != part.want {
			changed = append(changed, part.name)
		}
	}
	if len(changed) == 0 {
		return ""
	}
	return strings.Join(changed, ", ") + " changed"
}

// due says why a task has to run, going by the markers of its node; empty: it does not. One that brings the node to a
// version goes by the version that the node has.
func due(t plan.Task, markers map[string]marker) string {
	m, ok := markers[t.Step]
	if t.Version == nil {
		return reason(m, ok, t.Digest)
	}
	facts := map[string]string{}
	for _, m := range markers {
		maps.Copy(facts, m.Facts)
	}
	switch has := t.Version.Has(facts); {
	case has == "":
		return reasonMissing
	case !t.Version.Fits(has):
		return has + " there, " + t.Version.Want + " wanted"
	}
	return ""
}

// digestText is a digest in one word, as the state keeps it.
func digestText(d plan.Digest) string { return d.Script + ":" + d.Vars + ":" + d.Files }

// parseDigest is the reverse of digestText; a word of another form is a digest that fits nothing.
func parseDigest(text string) plan.Digest {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return plan.Digest{}
	}
	return plan.Digest{Script: parts[0], Vars: parts[1], Files: parts[2]}
}

// limited keeps what is written to it, up to maxAnswer bytes.
type limited struct{ bytes.Buffer }

// Write fails when the limit is passed.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxAnswer {
		return 0, fmt.Errorf("a node answers with more than %d bytes: a step reports too many facts", maxAnswer)
	}
	return l.Buffer.Write(p)
}
