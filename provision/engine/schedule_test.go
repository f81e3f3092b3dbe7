package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"podium/provision/plan"
	"podium/provision/state"
)

func bootsOf(tasks []plan.Task) func(int) bool {
	return func(i int) bool { return tasks[i].Step == plan.StepBoot }
}

// trace runs a schedule without waiting for anything and tells what happened, in order.
type trace struct {
	mu     sync.Mutex
	events []string
}

func (tr *trace) add(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, fmt.Sprintf(format, args...))
}

func TestSchedule(t *testing.T) {
	for _, tt := range []struct {
		name   string
		plan   []string
		weight map[string]time.Duration // by task; others 1
		limit  int
		boots  int
		fits   string // tasks that are done already
		fails  string // tasks that fail
		want   string
	}{
		{
			name: "one after the other, longest chain first", limit: 1, boots: 1,
			plan: []string{"a/x", "b/x", "b/y after b/x"},
			want: "run b/boot, run a/boot, run b/x, run a/x, run b/y",
		},
		{
			name: "weights decide", limit: 1, boots: 1, weight: map[string]time.Duration{"a/x": 10},
			plan: []string{"a/x", "b/x", "b/y after b/x"},
			want: "run a/boot, run a/x, run b/boot, run b/x, run b/y",
		},
		{
			name: "what is done is skipped in its turn", limit: 1, boots: 1, fits: "a/x b/x",
			plan: []string{"a/x", "b/x", "b/y after a/x, b/x"},
			want: "run a/boot, skipped a/x, run b/boot, skipped b/x, run b/y",
		},
		{
			name: "what depends on a failure is blocked, the rest goes on", limit: 1, boots: 1, fails: "a/x",
			plan: []string{"a/x", "a/y after a/x", "b/x", "b/y after b/x, a/y", "b/z after b/x"},
			want: "run a/boot, run b/boot, run a/x, blocked a/y by a/x, run b/x, blocked b/y by a/x, run b/z",
		},
		{
			name: "what is done stays done behind a failure, what comes after it does not run", limit: 1, boots: 1, fails: "a/x", fits: "b/y",
			plan: []string{"a/x", "b/y after b/boot, a/x", "b/z after b/y"},
			want: "run a/boot, run b/boot, run a/x, skipped b/y, blocked b/z by a/x",
		},
		{
			name: "a machine that does not boot blocks its steps", limit: 1, boots: 1, fails: "a/boot", fits: "",
			plan: []string{"a/x", "a/y after a/x", "b/x"},
			want: "run a/boot, blocked a/x by a/boot, blocked a/y by a/boot, run b/boot, run b/x",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := drawPlan(tt.plan...)
			g, err := newGraph(p.Tasks, func(t plan.Task) time.Duration { return max(1, tt.weight[string(t.ID)]) })
			if err != nil {
				t.Fatal(err)
			}
			is := func(list string, i int) bool { return slices.Contains(strings.Fields(list), string(p.Tasks[i].ID)) }
			var tr trace
			s := schedule{
				graph: g, limit: tt.limit, boots: tt.boots, boot: bootsOf(p.Tasks),
				skip: func(i int) bool { return is(tt.fits, i) },
				run: func(_ context.Context, i int) Outcome {
					tr.add("run %s", p.Tasks[i].ID)
					if is(tt.fails, i) {
						return Failed
					}
					return Done
				},
				end: func(i int, how Outcome, by int) {
					if by < 0 {
						tr.add("%s %s", how, p.Tasks[i].ID)
						return
					}
					tr.add("%s %s by %s", how, p.Tasks[i].ID, p.Tasks[by].ID)
				},
			}
			s.all(context.Background())
			if got := strings.Join(tr.events, ", "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestScheduleBootsLeaveRoomForSteps(t *testing.T) {
	p := drawPlan("a/x", "b/x", "c/x", "d/x")
	g, err := newGraph(p.Tasks, func(plan.Task) time.Duration { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	boots, most := 0, 0
	stepped := make(chan struct{})
	s := schedule{graph: g, limit: 2, boots: 1, boot: bootsOf(p.Tasks), skip: func(int) bool { return false }, end: func(int, Outcome, int) {}}
	s.run = func(_ context.Context, i int) Outcome {
		switch p.Tasks[i].ID {
		case "a/x":
			close(stepped)
		case "b/boot":
			<-stepped // runs beside a/x, or never ends
		}
		if p.Tasks[i].Step != plan.StepBoot {
			return Done
		}
		mu.Lock()
		boots++
		most = max(most, boots)
		mu.Unlock()
		mu.Lock()
		defer mu.Unlock()
		boots--
		return Done
	}
	s.all(context.Background())
	if most != 1 {
		t.Errorf("%d boots at once, want 1", most)
	}
}

func TestScheduleStopsWithContext(t *testing.T) {
	p := drawPlan("a/x", "a/y after a/x", "b/x", "b/y after b/x")
	g, err := newGraph(p.Tasks, func(plan.Task) time.Duration { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tr trace
	s := schedule{
		graph: g, limit: 1, boots: 1, boot: bootsOf(p.Tasks), skip: func(int) bool { return false },
		run: func(ctx context.Context, i int) Outcome {
			if p.Tasks[i].ID == "a/x" {
				cancel()
				return Cancelled
			}
			return Done
		},
		end: func(i int, how Outcome, _ int) { tr.add("%s %s", how, p.Tasks[i].ID) },
	}
	s.all(ctx)
	if got, want := strings.Join(tr.events, ", "), "cancelled a/y, cancelled b/x, cancelled b/y"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whatever the graph, everything runs exactly once, after what it comes after, and within the limits.
func TestScheduleOfRandomGraphs(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		var tasks []plan.Task
		for i := range 1 + random.IntN(80) {
			task := plan.Task{ID: plan.TaskID(fmt.Sprintf("t%d", i)), Step: "x"}
			if random.IntN(5) == 0 {
				task.Step = plan.StepBoot
			}
			for j := range i {
				if random.IntN(i) < 2 {
					task.After = append(task.After, tasks[j].ID)
				}
			}
			tasks = append(tasks, task)
		}
		g, err := newGraph(tasks, func(plan.Task) time.Duration { return time.Duration(random.IntN(100)) })
		if err != nil {
			t.Fatal(err)
		}
		limit, boots := 1+random.IntN(6), 1+random.IntN(3)
		var mu sync.Mutex
		done := make([]bool, len(tasks))
		running := [2]int{}
		s := schedule{graph: g, limit: limit, boots: boots, boot: bootsOf(tasks), skip: func(int) bool { return false }, end: func(i int, how Outcome, _ int) {
			t.Errorf("seed %d: %s is %s", seed, tasks[i].ID, how)
		}}
		s.run = func(_ context.Context, i int) Outcome {
			mu.Lock()
			defer mu.Unlock()
			if done[i] {
				t.Errorf("seed %d: %s ran twice", seed, tasks[i].ID)
			}
			for _, j := range g.before[i] {
				if !done[j] {
					t.Errorf("seed %d: %s ran before %s", seed, tasks[i].ID, tasks[j].ID)
				}
			}
			running[s.kind(i)]++
			if running[slotBoot] > boots || running[slotBoot]+running[slotStep] > limit {
				t.Errorf("seed %d: %d boots and %d steps at once", seed, running[slotBoot], running[slotStep])
			}
			mu.Unlock()
			time.Sleep(time.Duration(i%3) * 10 * time.Microsecond)
			mu.Lock()
			running[s.kind(i)]--
			done[i] = true
			return Done
		}
		s.all(context.Background())
		if i := slices.Index(done, false); i >= 0 {
			t.Errorf("seed %d: %s did not run", seed, tasks[i].ID)
		}
	}
}

func TestGraphRefusesWhatIsNoPlan(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tasks []plan.Task
		want  string
	}{
		{"unknown", []plan.Task{{ID: "a", After: []plan.TaskID{"b"}}}, "which the plan does not have"},
		{"cycle", []plan.Task{{ID: "a", After: []plan.TaskID{"b"}}, {ID: "b", After: []plan.TaskID{"a"}}}, "stands behind it"},
		{"twice", []plan.Task{{ID: "a"}, {ID: "a"}}, "twice"},
	} {
		if _, err := newGraph(tt.tasks, func(plan.Task) time.Duration { return 1 }); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestCriticalChain(t *testing.T) {
	p := drawPlan("a/x", "a/y after a/x", "b/x", "b/y after b/x, a/x")
	g, err := newGraph(p.Tasks, func(plan.Task) time.Duration { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	took := map[plan.TaskID]time.Duration{"a/boot": 5, "a/x": 10, "a/y": 1, "b/boot": 3, "b/x": 2, "b/y": 4}
	if got := g.critical(func(i int) time.Duration { return took[p.Tasks[i].ID] }); got != 19 {
		t.Errorf("critical chain is %d, want 19: a/boot, a/x, b/y", got)
	}
}

// A lab whose steps take random times is made nearly as quickly as it can be with so many places: as the longest chain
// of its tasks takes, or as all work takes divided by the places, whichever is longer. Time is virtual.
func TestScheduleIsShort(t *testing.T) {
	const places, seeds = 16, 20
	for _, nodes := range []int{4, 20, 100} {
		p := clusterLab(t, nodes)
		g, err := newGraph(p.Tasks, estimate(state.State{}, p.Tasks))
		if err != nil {
			t.Fatal(err)
		}
		var ratio float64
		for seed := range uint64(seeds) {
			took := durations(p, seed, false, time.Second)
			var work, makespan time.Duration
			for _, d := range took {
				work += d
			}
			synctest.Test(t, func(*testing.T) {
				start := time.Now()
				s := schedule{
					graph: g, limit: places, boots: places, boot: bootsOf(p.Tasks),
					skip: func(i int) bool { return p.Tasks[i].Version != nil }, end: func(int, Outcome, int) {},
					run: func(_ context.Context, i int) Outcome { time.Sleep(took[string(p.Tasks[i].ID)]); return Done },
				}
				s.all(context.Background())
				makespan = time.Since(start)
			})
			critical := g.critical(func(i int) time.Duration { return took[string(p.Tasks[i].ID)] })
			ratio += float64(makespan) / float64(max(critical, work/places)) / seeds
		}
		if t.Logf("%d nodes: %.3f times what is possible", nodes, ratio); ratio > 1.10 {
			t.Errorf("%d nodes: makespan is %.3f times what is possible, want at most 1.10", nodes, ratio)
		}
	}
}
