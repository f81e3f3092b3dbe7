package engine

import (
	"maps"
	"slices"
	"time"

	"podium/provision/plan"
	"podium/provision/state"
)

// summarize fills in the account of the run.
func (r *run) summarize(s *Summary) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Lab, s.Provider, s.Started = r.Plan.Lab.Name, r.Plan.Lab.Provider, r.started
	s.Duration = time.Since(r.started)
	s.Critical = r.graph.critical(func(i int) time.Duration { return r.results[i].Duration })
	s.Makespan = makespan(r.results)
	s.Tasks, s.Failures = r.results, r.failures
	r.record.View(func(st state.State) {
		for _, m := range r.Plan.Machines {
			node := NodeResult{Name: m.Name, Roles: m.Roles, Address: m.Address.String(), Endpoint: st.Machines[m.Name].Endpoint}
			node.Facts, node.Secrets = public(st.Facts[m.Name])
			s.Nodes = append(s.Nodes, node)
		}
		for _, name := range slices.Sorted(maps.Keys(st.Machines)) {
			if st.Machines[name].Removed {
				s.Removed = append(s.Removed, name)
			}
		}
	})
	s.Left = r.left()
}

// left are the steps whose markers lie on nodes although the plan does not have them any more, sorted.
func (r *run) left() []plan.TaskID {
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

// guess gives a task's weight: what it took last time; else what the same step took on the other nodes on average; else
// a twentieth of its timeout, since timeouts are generous alike. What brings a node to the version that it has takes
// nothing.
func guess(s state.State, tasks []plan.Task) func(plan.Task) time.Duration {
	total, count := map[string]time.Duration{}, map[string]int{}
	for _, steps := range s.Steps {
		for name, step := range steps {
			if step.Duration > 0 {
				total[name] += step.Duration
				count[name]++
			}
		}
	}
	return func(t plan.Task) time.Duration {
		if v := t.Version; v != nil {
			if has := v.Has(s.Facts[t.Node]); has == "" || v.Fits(has) {
				return 0 // it will not run
			}
		}
		if took := s.Steps[t.Node][t.Step].Duration; took > 0 {
			return took
		}
		if n := count[t.Step]; n > 0 {
			return total[t.Step] / time.Duration(n)
		}
		return max(t.Timeout/20, time.Second)
	}
}
