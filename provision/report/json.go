package report

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"podium/provision/engine"
	"podium/provision/event"
)

// Summary is the JSON form of a run: a stable interface for scripts. Durations are in nanoseconds.
type Summary struct {
	Kind     string    `json:"kind"` // "summary", so that it can stand at the end of a stream of events
	Lab      string    `json:"lab"`
	Provider string    `json:"provider"`
	Ready    bool      `json:"ready"`
	Started  time.Time `json:"started"`
	Duration int64     `json:"duration_ns"`
	Critical int64     `json:"critical_ns"`
	Nodes    []Node    `json:"nodes"`
	Tasks    []Task    `json:"tasks"`
	Resting  []string  `json:"resting,omitempty"` // nodes that took no part in this run
	Removed  []string  `json:"removed,omitempty"`
	Left     []string  `json:"left,omitempty"` // steps that the description has no more, as NODE/STEP
	Baseline string    `json:"baseline,omitempty"`
}

// Node is a node in a Summary. Secrets names the secret facts; podium status --secrets shows their values.
type Node struct {
	Name    string            `json:"name"`
	Roles   []string          `json:"roles"`
	Address string            `json:"address"`
	SSH     *SSH              `json:"ssh,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
	Secrets []string          `json:"secrets,omitempty"`
}

// SSH is where a node's sshd answers.
type SSH struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	User string `json:"user"`
}

// Task is a task in a Summary.
type Task struct {
	ID       string   `json:"id"`
	Node     string   `json:"node"`
	Step     string   `json:"step"`
	Outcome  string   `json:"outcome"` // done, skipped, not rehearsed, failed, blocked, cancelled
	Reason   string   `json:"reason,omitempty"`
	Attempts int      `json:"attempts"`
	Start    int64    `json:"start_ns"` // since started
	Duration int64    `json:"duration_ns"`
	Log      string   `json:"log,omitempty"`
	Error    string   `json:"error,omitempty"`
	Hint     string   `json:"hint,omitempty"`
	Last     []string `json:"last,omitempty"` // last lines of output of a task that failed
}

// Of is the JSON form of s.
func Of(s engine.Summary) Summary {
	out := Summary{
		Kind: "summary", Lab: s.Lab, Provider: s.Provider, Started: s.Started,
		Ready:    !countOutcomes(s).notReady() && len(s.Tasks) > 0,
		Duration: int64(s.Duration), Critical: int64(s.Critical),
		Nodes: []Node{}, Tasks: []Task{}, Resting: s.Resting, Removed: s.Removed, Baseline: s.Baseline,
	}
	for _, id := range s.Left {
		out.Left = append(out.Left, string(id))
	}
	for _, n := range s.Nodes {
		node := Node{Name: n.Name, Roles: n.Roles, Address: n.Address, Facts: n.Facts, Secrets: n.Secrets}
		if n.Endpoint != nil {
			node.SSH = &SSH{Host: n.Endpoint.Host, Port: n.Endpoint.Port, User: n.Endpoint.User}
		}
		out.Nodes = append(out.Nodes, node)
	}
	failures := failuresByID(s)
	for _, t := range s.Tasks {
		task := Task{
			ID: string(t.ID), Node: t.Node, Step: t.Step, Outcome: string(t.Outcome), Reason: t.Reason,
			Attempts: t.Attempts, Start: int64(t.Start), Duration: int64(t.Duration), Log: t.Log,
		}
		if f := failures[string(t.ID)]; f != nil {
			task.Error, task.Hint, task.Last = firstLine(f.Err), f.Hint, f.Last
		}
		out.Tasks = append(out.Tasks, task)
	}
	return out
}

func failuresByID(s engine.Summary) map[string]*engine.TaskError {
	failures := map[string]*engine.TaskError{}
	for _, f := range s.Failures {
		failures[string(f.ID)] = f
	}
	return failures
}

// JSON writes the summary as one line of JSON.
func JSON(w io.Writer, s engine.Summary) error { return encoder(w).Encode(Of(s)) }

// NDJSON is a sink that writes each event as one line of JSON.
func NDJSON(w io.Writer) event.Sink {
	var mu sync.Mutex
	e := encoder(w)
	return event.Func(func(ev event.Event) {
		mu.Lock()
		defer mu.Unlock()
		_ = e.Encode(ev) // a writer that fails keeps its own error; the run must not suffer
	})
}

func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
