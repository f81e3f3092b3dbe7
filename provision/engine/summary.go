package engine

import (
	"maps"
	"slices"
	"time"

	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
)

// Outcome says how a task ended.
type Outcome string

// How a task can end.
const (
	Done         Outcome = "done"
	Skipped      Outcome = "skipped"       // its marker on the node fitted
	NotRehearsed Outcome = "not rehearsed" // the simulator cannot run it
	Failed       Outcome = "failed"
	Blocked      Outcome = "blocked"   // a task it comes after failed
	Cancelled    Outcome = "cancelled" // the run ended before or while it ran
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
	Resting  []string      // nodes of the lab that the plan leaves alone
	Removed  []string      // nodes that have a machine but stand in the plan no more; never destroyed by Up
	Left     []plan.TaskID // steps done on nodes of the plan that stand in it no more, such as an add-on that was taken out; never undone by Up
	Baseline string        // tag of the snapshot this run took; empty: none
	Failures []*TaskError  // in the plan's order
	// Unchecked is nodes whose machines were started again and whose services have not been seen to work since: the run was
	// stopped while it waited for them.
	Unchecked []string
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

// summarize fills in the account of the run.
func (r *upRun) summarize(s *Summary) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Lab, s.Provider, s.Started = r.Plan.Lab.Name, r.Plan.Lab.Provider, r.started
	s.Duration = time.Since(r.started)
	s.Critical = r.graph.critical(func(i int) time.Duration { return r.results[i].Duration })
	s.Makespan = makespan(r.results)
	s.Tasks, s.Failures = r.account(), r.failures
	r.record.View(func(st state.State) {
		for _, m := range r.Plan.Machines {
			node := NodeResult{Name: m.Name, Roles: m.Roles, Address: m.Address.String(), Endpoint: st.Machines[m.Name].Endpoint}
			node.Facts, node.Secrets = public(st.Facts[m.Name])
			s.Nodes = append(s.Nodes, node)
			if st.Machines[m.Name].Unchecked {
				s.Unchecked = append(s.Unchecked, m.Name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(st.Machines)) {
			if st.Machines[name].Removed {
				s.Removed = append(s.Removed, name)
			}
		}
	})
	s.Left, s.Resting = r.left(), r.Plan.Resting()
}

// account is the results of the tasks that have a part in this run. An upgrade that does not apply has none.
func (r *upRun) account() []TaskResult {
	var results []TaskResult
	for i, t := range r.Plan.Tasks {
		if how := r.results[i].Outcome; r.applies(t) || how == Done || how == Failed {
			results = append(results, r.results[i])
		}
	}
	return results
}

// steps counts the steps that have a part in this run.
func (r *upRun) steps() int {
	n := 0
	for _, t := range r.Plan.Tasks {
		if t.Step != plan.StepBoot && r.applies(t) {
			n++
		}
	}
	return n
}

// applying reports whether a task has a part in a run, as far as the state knows: an upgrade has on nodes of another version.
func applying(s state.State) func(plan.Task) bool {
	return func(t plan.Task) bool {
		if !t.Conditional() {
			return true
		}
		has := t.Version.Has(s.Facts[t.Node])
		return has != "" && !t.Version.Fits(has)
	}
}

// left are the steps whose markers lie on nodes although the plan does not have them any more, sorted.
func (r *upRun) left() []plan.TaskID {
	planned := map[plan.TaskID]bool{}
	for _, t := range r.Plan.Tasks {
		planned[t.ID] = true
	}
	var left []plan.TaskID
	for _, m := range r.Plan.Machines {
		n := r.nodes[m.Name]
		if n == nil {
			continue
		}
		n.mu.Lock()
		for _, step := range slices.Sorted(maps.Keys(n.seen.Markers)) {
			if id := plan.TaskID(m.Name + "/" + step); !planned[id] {
				left = append(left, id)
			}
		}
		n.mu.Unlock()
	}
	return left
}

// makespan is from the start of the first task that ran to the end of the last.
func makespan(results []TaskResult) time.Duration {
	var first, last time.Duration
	none := true
	for _, t := range results {
		if t.Attempts == 0 {
			continue
		}
		if none || t.Start < first {
			first = t.Start
		}
		none = false
		last = max(last, t.Start+t.Duration)
	}
	return last - first
}
