package engine

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/plan"
)

// adjustableLab changes sizes as a provider does that can.
type adjustableLab struct {
	*fakeLab
	effect machine.Effect
}

func (a adjustableLab) Takes(_ lab.Lab, s machine.Setting) machine.Effect {
	if s == machine.Memory {
		return a.effect
	}
	return machine.WhenMade
}

// A changed setting is told before up, and in plan, with what comes of it; as long as the machines do not have it.
func TestDifferences(t *testing.T) {
	memory := func(p *plan.Plan, nodes ...string) {
		for i := range p.Machines {
			if slices.Contains(nodes, p.Machines[i].Name) {
				p.Machines[i].Memory = 2 << 30
			}
		}
	}
	for _, tt := range []struct {
		name   string
		effect machine.Effect
		change func(p *plan.Plan)
		halted bool
		want   []string // told by the first up, and foretold by plan
		again  []string // told by the up after it
	}{
		{name: "nothing", change: func(*plan.Plan) {}},
		{
			name: "a provider that resizes nothing", effect: machine.WhenMade, change: func(p *plan.Plan) { memory(p, "w1", "w2") }, halted: true,
			want:  []string{"memory: 2GiB in lab.yaml, w1, w2 made with 1GiB: only new machines get it: podium destroy, then podium up"},
			again: []string{"memory: 2GiB in lab.yaml, w1, w2 made with 1GiB: only new machines get it: podium destroy, then podium up"},
		},
		{
			name: "sizes that count from the next start", effect: machine.WhenStarted, change: func(p *plan.Plan) { memory(p, "w1") },
			want:  []string{"memory: 2GiB in lab.yaml, w1 made with 1GiB: halt them, then podium up applies it"},
			again: []string{"memory: 2GiB in lab.yaml, w1 made with 1GiB: halt them, then podium up applies it"},
		},
		{
			name: "the same, halted", effect: machine.WhenStarted, change: func(p *plan.Plan) { memory(p, "w1") }, halted: true,
			want: []string{"memory: 2GiB in lab.yaml, w1 made with 1GiB: up applies it"},
		},
		{
			name: "sizes that count at once", effect: machine.AtOnce, change: func(p *plan.Plan) { memory(p, "w1") },
			want: []string{"memory: 2GiB in lab.yaml, w1 made with 1GiB: up applies it"},
		},
		{
			name: "network and user", effect: machine.AtOnce,
			change: func(p *plan.Plan) { p.Lab.Network, p.Lab.User = "10.0.0.0/24", "student" },
			want: []string{
				"user: student in lab.yaml, cp, w1, w2, w3 made with podium: only new machines get it: podium destroy, then podium up",
				"network: 10.0.0.0/24 in lab.yaml, cp, w1, w2, w3 made with 192.0.2.0/24: only new machines get it: podium destroy, then podium up",
			},
			again: []string{
				"user: student in lab.yaml, cp, w1, w2, w3 made with podium: only new machines get it: podium destroy, then podium up",
				"network: 10.0.0.0/24 in lab.yaml, cp, w1, w2, w3 made with 192.0.2.0/24: only new machines get it: podium destroy, then podium up",
			},
		},
		{
			name: "a machine that is new has what lab.yaml says", change: func(p *plan.Plan) {
				*p = drawPlan(append(smallLabLines(), "w4/base")...)
				for i := range p.Machines {
					p.Machines[i].Memory = 1 << 30
				}
				memory(p, "w4")
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeLab()
			e, events := newEngine(t, smallLab(), f)
			e.Provider = adjustableLab{f, tt.effect}
			for i := range e.Plan.Machines {
				e.Plan.Machines[i].Memory = 1 << 30
			}
			up(t, e)
			tt.change(&e.Plan)
			if tt.halted {
				if err := e.Halt(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			foretold, err := e.Differences(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var plan []string
			for _, d := range foretold {
				plan = append(plan, d.String())
			}
			if diff := cmp.Diff(tt.want, plan); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			told := func() []string {
				before := len(events.of(event.Note))
				up(t, e)
				var lines []string
				for _, n := range events.of(event.Note)[before:] {
					if strings.Contains(n.Text, " in lab.yaml, ") {
						lines = append(lines, n.Text)
					}
				}
				return lines
			}
			if diff := cmp.Diff(tt.want, told()); diff != "" {
				t.Errorf("up (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.again, told()); diff != "" {
				t.Errorf("the up after it (-want +got):\n%s", diff)
			}
		})
	}
}
