package plan

import (
	"container/heap"
	"math/big"
	"slices"
	"strings"

	"podium/provision/lab"
)

// sorted lists the tasks so that each stands after those it waits for, and otherwise in the order they were added. It
// cleans up the edges on the way.
func (b *builder) sorted() ([]Task, error) {
	rank := make(map[TaskID]int, len(b.order))
	for i, id := range b.order {
		rank[id] = i
	}
	waits := make([]int, len(b.order))
	followers := make([][]int, len(b.order))
	for i, id := range b.order {
		task := b.tasks[id]
		slices.Sort(task.After)
		task.After = slices.Compact(task.After)
		waits[i] = len(task.After)
		for _, before := range task.After {
			followers[rank[before]] = append(followers[rank[before]], i)
		}
	}
	var ready ranks
	for i, n := range waits {
		if n == 0 {
			heap.Push(&ready, i)
		}
	}
	tasks := make([]Task, 0, len(b.order))
	for len(ready) > 0 {
		i := heap.Pop(&ready).(int)
		tasks = append(tasks, *b.tasks[b.order[i]])
		for _, f := range followers[i] {
			if waits[f]--; waits[f] == 0 {
				heap.Push(&ready, f)
			}
		}
	}
	if len(tasks) < len(b.order) {
		return nil, lab.Problems{{Path: "steps", Message: "wait for each other in a circle (" + b.circle(waits, rank) + "): leave one out of after"}}
	}
	withoutDetours(tasks)
	return tasks, nil
}

// withoutDetours drops the edges to steps of the same machine that another edge leads to anyway: where kubeadm waits
// for its packages, which wait for base, nothing is gained by waiting for base too, and the plan is harder to read.
func withoutDetours(tasks []Task) {
	at := make(map[TaskID]int, len(tasks)) // a task comes after those that it waits for
	above := make([]big.Int, len(tasks))   // what a task waits for, also by way of its machine's: a bit each
	for i := range tasks {
		t := &tasks[i]
		at[t.ID] = i
		indirect := &above[i]
		for _, before := range t.After {
			if tasks[at[before]].Node == t.Node {
				indirect.Or(indirect, &above[at[before]])
			}
		}
		t.After = slices.DeleteFunc(t.After, func(before TaskID) bool { return indirect.Bit(at[before]) == 1 })
		for _, before := range t.After {
			indirect.SetBit(indirect, at[before], 1)
		}
	}
}

// circle names tasks that wait for each other, among those that still wait.
func (b *builder) circle(waits []int, rank map[TaskID]int) string {
	at := slices.IndexFunc(waits, func(n int) bool { return n > 0 })
	var path []string
	seen := map[int]int{}
	for {
		if start, ok := seen[at]; ok {
			return strings.Join(append(path[start:], string(b.order[at])), ", ")
		}
		seen[at] = len(path)
		path = append(path, string(b.order[at]))
		for _, before := range b.tasks[b.order[at]].After {
			if waits[rank[before]] > 0 {
				at = rank[before]
				break
			}
		}
	}
}

// ranks is a heap: the task that was added first comes out first.
type ranks []int

func (r ranks) Len() int           { return len(r) }
func (r ranks) Less(i, j int) bool { return r[i] < r[j] }
func (r ranks) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ranks) Push(x any)        { *r = append(*r, x.(int)) }
func (r *ranks) Pop() any {
	old := *r
	x := old[len(old)-1]
	*r = old[:len(old)-1]
	return x
}
