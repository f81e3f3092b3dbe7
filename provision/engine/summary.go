package engine

import (
	"time"

	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
)

// UpOptions says how Up differs from its usual way.
type UpOptions struct {
	// Baseline takes the snapshot BaselineTag after the lab's first complete success, which is what Reset goes back to.
	// Providers without snapshots are left alone.
	Baseline bool
	// Force lists what runs although it is done: a task ("w1/kubeadm-join"), a step on every node ("jenkins"), or
	// every step of a node ("w1/*"). A name that fits no task is an error.
	Force []string
	// Prune removes the nodes that the description has no more (Surplus): from the cluster, then their machines.
	Prune bool
}

// BaselineTag is the name of the snapshot that Up takes by itself and that Reset restores.
const BaselineTag = "ready"

// Outcome says how a task ended.
type Outcome string

// How a task can end.
const (
	Done      Outcome = "done"
	Skipped   Outcome = "skipped" // its marker on the node fitted
	Failed    Outcome = "failed"
	Blocked   Outcome = "blocked"   // a task it comes after failed
	Cancelled Outcome = "cancelled" // the run ended before or while it ran
)

// Summary is what a run of Up did. It is complete also when Up returns an error.
type Summary struct {
	Lab      string
	Provider string
	Started  time.Time
	Duration time.Duration // wall-clock time of the whole run, with what came before the tasks and after them
	Makespan time.Duration // from the start of the first task to the end of the last
	Critical time.Duration // the longest chain of tasks by the time each took in this run: Makespan cannot be shorter

	Tasks    []TaskResult  // in the plan's order
	Nodes    []NodeResult  // in the plan's order
	Removed  []string      // nodes that have a machine but stand in the plan no more; never destroyed by Up
	Left     []plan.TaskID // steps done on nodes of the plan that stand in it no more, such as an add-on that was taken out; never undone by Up
	Baseline string        // tag of the snapshot this run took; empty: none
	Failures []*TaskError  // in the plan's order
}

// TaskResult is how one task of the plan went.
type TaskResult struct {
	ID       plan.TaskID
	Node     string
	Step     string
	Outcome  Outcome
	Reason   string        // why it ran, or what it was blocked by
	Attempts int           // 0: it never started
	Start    time.Duration // since Summary.Started
	Duration time.Duration
	Log      string // path; empty: it wrote none
}

// NodeResult is a node at the end of a run.
type NodeResult struct {
	Name     string
	Roles    []string
	Address  string // in the lab's private network
	Endpoint *remote.Endpoint
	// Facts are what the node's steps reported, such as grafana_url. Secrets are left out: Secrets names their keys,
	// and SecretsFile of the lab's state holds their values.
	Facts   map[string]string
	Secrets []string
}

// Change is one task as Up would find it now.
type Change struct {
	Task   plan.TaskID
	Node   string
	Step   string
	Reason string // why it would run: "missing", "script changed", ...; empty: it is done
}

// NodeStatus is a node as Status finds it.
type NodeStatus struct {
	Name     string
	Roles    []string
	Address  string // in the lab's private network
	Endpoint *remote.Endpoint
	Machine  machine.State
	SSH      bool   // a command could be run on it
	SSHError string // why not; empty when the machine does not run
	Done     int    // steps done, by the node's markers; by the state when it cannot be asked
	Total    int    // steps the last up had for it
	Services []ServiceStatus
	Removed  bool // the last up's description had it no more
}

// ServiceStatus is what systemd says of a unit.
type ServiceStatus struct {
	Unit   string
	Active string // active, inactive, failed, activating, ...; empty: the node cannot be asked
}
