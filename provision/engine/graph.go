package engine

import (
	"fmt"
	"time"

	"podium/provision/plan"
	"podium/provision/state"
)

// graph is a plan's tasks by their place in the plan, with what comes before and after each.
type graph struct {
	tasks  []plan.Task
	index  map[plan.TaskID]int
	before [][]int         // tasks it comes after
	after  [][]int         // tasks that come after it
	rank   []time.Duration // of the longest chain from the task to the end, itself included
}

// newGraph reads the order out of a plan. weight is how long a task will take, as far as can be told.
func newGraph(tasks []plan.Task, weight func(plan.Task) time.Duration) (*graph, error) {
	g := &graph{
		tasks: tasks, index: make(map[plan.TaskID]int, len(tasks)),
		before: make([][]int, len(tasks)), after: make([][]int, len(tasks)), rank: make([]time.Duration, len(tasks)),
	}
	for i, t := range tasks {
		if _, twice := g.index[t.ID]; twice {
			return nil, fmt.Errorf("plan has the task %s twice", t.ID)
		}
		g.index[t.ID] = i
	}
	for i, t := range tasks {
		for _, id := range t.After {
			j, ok := g.index[id]
			if !ok {
				return nil, fmt.Errorf("task %s comes after %s, which the plan does not have", t.ID, id)
			}
			if j >= i {
				return nil, fmt.Errorf("task %s comes after %s, which stands behind it in the plan", t.ID, id)
			}
			g.before[i] = append(g.before[i], j)
			g.after[j] = append(g.after[j], i)
		}
	}
	for i := len(tasks) - 1; i >= 0; i-- { // a plan's order is such that what comes after stands behind
		for _, j := range g.after[i] {
			g.rank[i] = max(g.rank[i], g.rank[j])
		}
		g.rank[i] += weight(tasks[i])
	}
	return g, nil
}

// critical is the longest chain by what each task really took.
func (g *graph) critical(took func(i int) time.Duration) time.Duration {
	ends := make([]time.Duration, len(g.tasks))
	var longest time.Duration
	for i := range g.tasks {
		for _, j := range g.before[i] {
			ends[i] = max(ends[i], ends[j])
		}
		ends[i] += took(i)
		longest = max(longest, ends[i])
	}
	return longest
}

// estimate gives a task's weight: what it took last time; else what the same step took on the other nodes on average; else
// a twentieth of its timeout, since timeouts are generous alike. What brings a node to the version that it has takes
// nothing.
func estimate(s state.State, tasks []plan.Task) func(plan.Task) time.Duration {
	applies := applying(s)
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
		if !applies(t) {
			return 0 // it will not run
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
