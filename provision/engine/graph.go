package engine

import (
	"fmt"
	"time"

	"podium/provision/plan"
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
