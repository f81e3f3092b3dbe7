package examine

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"podium/provision/exercise"
	"podium/provision/exercise/check"
	"podium/provision/remote"
	"podium/provision/wording"
)

// Proof is what became of an exercise that was carried through: that it does not hold at its start, that no wrong
// attempt passes, that its solution does, and that each check can fail.
type Proof struct {
	Exercise string
	Took     time.Duration
	Solution time.Duration // how long the solution ran
	Wrong    int           // attempts that were made
	Faults   []string      // empty: it is proven
}

// prover carries one exercise through.
type prover struct {
	room   *Room
	e      *exercise.Exercise
	env    map[string]string
	tell   func(string)
	proof  Proof
	failed map[string]bool // checks that were seen to fail
}

// Prove carries an exercise, with values filled in, through. The lab is at the exercise's start in the end.
func (r *Room) Prove(ctx context.Context, e *exercise.Exercise, env map[string]string, tell func(string)) Proof {
	p := &prover{room: r, e: e, env: env, tell: tell, failed: map[string]bool{}, proof: Proof{Exercise: e.Name}}
	start := time.Now()
	p.run(ctx)
	p.proof.Took = time.Since(start)
	return p.proof
}

func (p *prover) fault(format string, args ...any) {
	p.proof.Faults = append(p.proof.Faults, fmt.Sprintf(format, args...))
}

func (p *prover) run(ctx context.Context) {
	if !p.scripts(ctx, "setup", p.e.Setup...) || !p.scripts(ctx, "setup a second time", p.e.Setup...) {
		return
	}
	p.notHolding(ctx, "at its start", p.e.Symptom, true)
	for i, s := range p.e.Wrong {
		if ctx.Err() != nil || i > 0 && !p.scripts(ctx, "setup", p.e.Setup...) {
			return
		}
		p.proof.Wrong++
		if p.scripts(ctx, "the wrong attempt", s) {
			p.notHolding(ctx, "after the wrong attempt "+s.Run, s.Fails, false)
		}
	}
	if len(p.e.Wrong) > 0 && !p.scripts(ctx, "setup after an attempt", p.e.Setup...) {
		return
	}
	p.solve(ctx)
	if p.scripts(ctx, "setup after the solution", p.e.Setup...) && len(p.e.Setup) > 0 {
		p.notHolding(ctx, "after reset", nil, true)
	}
	for _, c := range p.e.Checks {
		if !p.failed[c.Name] && ctx.Err() == nil {
			p.fault("%s was never seen to fail: write a wrong attempt for it", c.Name)
		}
	}
}

// solve runs the solution twice.
func (p *prover) solve(ctx context.Context) {
	if len(p.e.Solution) == 0 && !p.onlyAnswers() {
		p.fault("it has no solution that runs")
		return
	}
	for _, turn := range []string{"the solution", "the solution a second time"} {
		start := time.Now()
		if !p.scripts(ctx, turn, p.e.Solution...) {
			return
		}
		if p.proof.Solution == 0 {
			p.proof.Solution = time.Since(start)
		}
		for _, o := range p.take(ctx, turn, false) {
			if o.Result != check.Holds {
				p.fault("after %s, %s: %s: %s", turn, o.Check.Name, o.Result, o.Why.In(wording.English))
			}
		}
	}
}

// onlyAnswers reports whether nothing is to be done on a node.
func (p *prover) onlyAnswers() bool {
	return !slices.ContainsFunc(p.e.Checks, func(c check.Check) bool { return c.Answer == nil })
}

// notHolding asks the checks, of which at least one, and each of those named, must not hold; and all must have run.
func (p *prover) notHolding(ctx context.Context, when string, named []string, once bool) {
	holding := 0
	outcomes := p.take(ctx, when, once)
	for _, o := range outcomes {
		switch o.Result {
		case check.Holds:
			holding++
			if slices.Contains(named, o.Check.Name) {
				p.fault("%s, %s holds", when, o.Check.Name)
			}
		case check.DidNotRun, check.NotRehearsed:
			p.fault("%s, %s did not run: %s", when, o.Check.Name, o.Why.In(wording.English))
		default:
			p.failed[o.Check.Name] = true
		}
	}
	if holding == len(outcomes) && !p.onlyAnswers() {
		p.fault("%s, all checks hold", when)
	}
}

// take asks with the right answers, and sees that wrong ones are found out.
func (p *prover) take(ctx context.Context, when string, once bool) []Outcome {
	p.tell("checks " + when)
	answers := map[string]string{}
	for _, c := range p.e.Checks {
		if c.Answer != nil {
			answers[c.Name] = p.right(ctx, &c)
		}
	}
	outcomes := p.room.Take(ctx, Exam{Checks: p.e.Checks, Answers: answers, Env: p.env, Once: once}, nil)
	for i, c := range p.e.Checks {
		if c.Answer == nil || p.failed[c.Name] {
			continue
		}
		asked := p.room.Take(ctx, Exam{Checks: p.e.Checks[i : i+1], Answers: map[string]string{c.Name: "an answer that nobody gives"}, Env: p.env}, nil)
		if asked[0].Result == check.DoesNotHold {
			p.failed[c.Name] = true
		}
	}
	return outcomes
}

// right is an answer that counts.
func (p *prover) right(ctx context.Context, c *check.Check) string {
	a := c.Answer
	for _, text := range append([]string{a.Example, string(a.Is)}, append(a.Any, string(a.Min), string(a.Max))...) {
		if text != "" {
			return text
		}
	}
	nodes, err := exercise.Nodes(p.room.Lab, c)
	if err != nil || len(nodes) == 0 {
		return ""
	}
	facts, _ := p.room.ask(ctx, nodes[0], Exam{Env: p.env}, []Outcome{{Check: *c}}, []int{0})
	return strings.TrimSpace(string(facts[0].Out))
}

// scripts runs scripts one after the other.
func (p *prover) scripts(ctx context.Context, what string, scripts ...exercise.Script) bool {
	for _, s := range scripts {
		p.tell(what + ": " + s.Run)
		var last lines
		for _, o := range p.room.Run(ctx, p.e, s, p.env, func(string) io.WriteCloser { return remote.Lines(last.add) }) {
			if o.Err != nil {
				p.fault("%s failed on %s: %v: %s", what, o.Name, o.Err, last.end())
				return false
			}
		}
	}
	return true
}
