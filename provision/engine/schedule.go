package engine

import (
	"container/heap"
	"context"
)

// schedule runs the tasks of a graph. A task starts as soon as all it comes after have ended well and there is a place
// for it; of several, the one with the longest chain behind it goes first, which keeps the whole short.
type schedule struct {
	graph *graph
	limit int              // tasks at once
	boots int              // of these, boots at once
	boot  func(i int) bool // whether a task boots a machine

	// skip reports whether a task needs no run. It is asked when the task could start or when it is blocked.
	skip func(i int) bool
	// run runs a task and says how it ended: Done, Skipped, Failed, Blocked or Cancelled. It must return when ctx ends.
	run func(ctx context.Context, i int) Outcome
	// end is told of each task that did not run: Skipped, Blocked by the task that failed, or Cancelled.
	end func(i int, how Outcome, by int)

	waiting []int // tasks each still waits for
	blocked []int // the failed task that each waits for in vain; -1: none
	ended   []bool
	slots   [2]int
	ready   [2]readyTasks
}

// The kinds of slots: boots have fewer than the others, where a provider makes machines one after the other.
const (
	slotStep = iota
	slotBoot
)

func (s *schedule) kind(i int) int {
	if s.boot(i) {
		return slotBoot
	}
	return slotStep
}

// all runs everything that can be run and returns when nothing runs any more. Each run has a goroutine of its own; skip
// and end are called by the caller's.
func (s *schedule) all(ctx context.Context) {
	n := len(s.graph.tasks)
	s.waiting, s.blocked, s.ended = make([]int, n), make([]int, n), make([]bool, n)
	s.slots = [2]int{slotStep: s.limit, slotBoot: s.boots}
	for kind := range s.ready {
		s.ready[kind].graph = s.graph
	}
	for i := range n {
		s.blocked[i] = -1
		s.waiting[i] = len(s.graph.before[i])
	}
	for i := range n {
		if len(s.graph.before[i]) == 0 {
			s.enqueue(i)
		}
	}

	type result struct {
		i   int
		how Outcome
	}
	results := make(chan result)
	running := 0
	for {
		for running < s.limit && ctx.Err() == nil {
			i, ok := s.next()
			if !ok {
				break
			}
			running++
			s.slots[s.kind(i)]--
			go func() { results <- result{i, s.run(ctx, i)} }()
		}
		if running == 0 {
			break
		}
		r := <-results
		running--
		s.slots[s.kind(r.i)]++
		switch r.how {
		case Cancelled:
			s.ended[r.i] = true
		case Failed, Blocked:
			s.finish(r.i, r.i)
		default:
			s.finish(r.i, -1)
		}
	}
	for i := range n {
		if !s.ended[i] { // ctx has ended
			s.end(i, Cancelled, -1)
		}
	}
}

// enqueue takes a task that waits for nothing any more.
func (s *schedule) enqueue(i int) {
	switch {
	case s.skip(i):
		s.end(i, Skipped, -1)
		s.finish(i, s.blocked[i]) // what comes after it still misses what it came after
	case s.blocked[i] >= 0:
		s.end(i, Blocked, s.blocked[i])
		s.finish(i, s.blocked[i])
	default:
		heap.Push(&s.ready[s.kind(i)], i)
	}
}

// finish tells what comes after i that i has ended; by is the failed task that keeps it from running, or -1.
func (s *schedule) finish(i, by int) {
	s.ended[i] = true
	for _, j := range s.graph.after[i] {
		if by >= 0 && s.blocked[j] < 0 {
			s.blocked[j] = by
		}
		if s.waiting[j]--; s.waiting[j] == 0 {
			s.enqueue(j)
		}
	}
}

// next takes the most urgent task that has a place.
func (s *schedule) next() (int, bool) {
	best := -1
	for kind := range s.ready {
		if s.slots[kind] == 0 || s.ready[kind].Len() == 0 {
			continue
		}
		if best < 0 || s.ready[kind].before(s.ready[kind].tasks[0], s.ready[best].tasks[0]) {
			best = kind
		}
	}
	if best < 0 {
		return 0, false
	}
	return heap.Pop(&s.ready[best]).(int), true
}

// readyTasks is a heap: the task with the highest rank first, of equals the one that stands first in the plan.
type readyTasks struct {
	graph *graph
	tasks []int
}

func (r *readyTasks) before(a, b int) bool {
	if r.graph.rank[a] != r.graph.rank[b] {
		return r.graph.rank[a] > r.graph.rank[b]
	}
	return a < b
}

func (r *readyTasks) Len() int           { return len(r.tasks) }
func (r *readyTasks) Less(a, b int) bool { return r.before(r.tasks[a], r.tasks[b]) }
func (r *readyTasks) Swap(a, b int)      { r.tasks[a], r.tasks[b] = r.tasks[b], r.tasks[a] }
func (r *readyTasks) Push(x any)         { r.tasks = append(r.tasks, x.(int)) }

func (r *readyTasks) Pop() any {
	last := r.tasks[len(r.tasks)-1]
	r.tasks = r.tasks[:len(r.tasks)-1]
	return last
}
