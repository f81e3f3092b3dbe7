// Package examine asks nodes whether checks hold, all checks of a node in one round trip, and runs the scripts of
// exercises there. It writes nothing onto a node.
package examine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"podium/provision/exercise"
	"podium/provision/exercise/check"
	"podium/provision/lab"
	"podium/provision/remote"
	"podium/provision/wording"
)

// Room is a lab's nodes during exams. Its connections are kept until Close.
type Room struct {
	Lab       lab.Lab
	Connect   func(ctx context.Context, node string) (remote.Host, error)
	Language  string // of what scripts print
	Simulated bool   // nothing can be asked

	mu    sync.Mutex
	hosts map[string]remote.Host
}

// Outcome is how a check ended.
type Outcome struct {
	Check  check.Check
	Nodes  []string // where it was asked
	Result check.Result
	Why    wording.Sentence
	Took   time.Duration
}

// Close ends the connections.
func (r *Room) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.hosts {
		_ = h.Close()
	}
	r.hosts = nil
}

// host is the connection to a node, made at its first use.
func (r *Room) host(ctx context.Context, node string) (remote.Host, error) {
	r.mu.Lock()
	h := r.hosts[node]
	r.mu.Unlock()
	if h != nil {
		return h, nil
	}
	h, err := r.Connect(ctx, node)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hosts == nil {
		r.hosts = map[string]remote.Host{}
	}
	r.hosts[node] = h
	return h, nil
}

// drop forgets a connection that was lost.
func (r *Room) drop(node string, h remote.Host) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hosts[node] == h {
		delete(r.hosts, node)
		_ = h.Close()
	}
}

// Exam is what is asked: checks with values filled in, what the student answered, and variables of scripts.
type Exam struct {
	Checks  []check.Check
	Answers map[string]string
	Env     map[string]string
	Once    bool // nothing is asked again, whatever its within
}

// pauses between two rounds grow up to this.
const longestPause = 2 * time.Second

// Take asks all checks, those that do not hold yet again until their time is over. tell is told of every round's news; it
// may be nil. Outcomes come in the order of the checks.
func (r *Room) Take(ctx context.Context, e Exam, tell func([]Outcome)) []Outcome {
	start := time.Now()
	outcomes := make([]Outcome, len(e.Checks))
	var open []int
	for i, c := range e.Checks {
		outcomes[i].Check = c
		open = append(open, i)
	}
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, longestPause) {
		r.round(ctx, e, outcomes, open)
		elapsed := time.Since(start)
		var again []int
		for _, i := range open {
			o := &outcomes[i]
			o.Took = elapsed
			patience := o.Check.Patience()
			if o.Result == check.NotYet && patience == 0 {
				patience = time.Minute // a script said so
			}
			waiting := o.Result == check.NotYet || o.Result == check.DoesNotHold && patience > 0 && o.Check.Answer == nil
			switch {
			case waiting && !e.Once && elapsed < patience && ctx.Err() == nil:
				o.Result = check.NotYet
				again = append(again, i)
			case waiting && !e.Once:
				o.Result = check.DoesNotHold
			}
		}
		if tell != nil {
			tell(outcomes)
		}
		if open = again; len(open) == 0 {
			return outcomes
		}
		select {
		case <-ctx.Done():
			for _, i := range open {
				outcomes[i].Result, outcomes[i].Why = check.DidNotRun, wording.Say("interrupted")
			}
			return outcomes
		case <-time.After(pause):
		}
	}
}

// round asks the open checks once.
func (r *Room) round(ctx context.Context, e Exam, outcomes []Outcome, open []int) {
	perNode := map[string][]int{}
	for _, i := range open {
		o := &outcomes[i]
		o.Result, o.Why = "", wording.Sentence{}
		nodes, err := exercise.Nodes(r.Lab, &o.Check)
		switch {
		case err != nil:
			o.Result, o.Why = check.DidNotRun, wording.Say("no-such-node", err)
		case len(nodes) == 0:
			o.set(o.Check.Answer.Grade(e.Answers[o.Check.Name], check.Facts{}), "")
		case r.Simulated:
			o.Result, o.Why = check.NotRehearsed, wording.Say("simulated")
		default:
			o.Nodes = nodes
			for _, node := range nodes {
				perNode[node] = append(perNode[node], i)
			}
		}
	}
	names := slices.Sorted(maps.Keys(perNode))
	answered := remote.Each(ctx, names, 0, func(ctx context.Context, node string) (map[int]check.Facts, error) {
		return r.ask(ctx, node, e, outcomes, perNode[node])
	})
	for _, node := range answered {
		for n, i := range perNode[node.Name] {
			o := &outcomes[i]
			label := ""
			if len(o.Nodes) > 1 {
				label = node.Name
			}
			facts, ok := node.Value[n]
			switch {
			case !ok:
				o.set(missing(ctx, node.Name, node.Err), "")
			case o.Check.Answer != nil:
				o.set(o.Check.Answer.Grade(e.Answers[o.Check.Name], facts), label)
			default:
				o.set(o.Check.Decide(facts), label)
			}
		}
	}
}

// set takes a node's verdict unless another node's is worse.
func (o *Outcome) set(v check.Verdict, node string) {
	rank := []check.Result{"", check.Holds, check.NotRehearsed, check.DidNotRun, check.NotYet, check.DoesNotHold, check.CannotHold}
	if slices.Index(rank, v.Result) <= slices.Index(rank, o.Result) {
		return
	}
	o.Result, o.Why = v.Result, v.Why
	if node != "" && v.Result != check.Holds {
		o.Why = wording.Say("on-node", node, v.Why)
	}
}

// missing is the verdict of a check that a node did not answer.
func missing(ctx context.Context, node string, err error) check.Verdict {
	switch {
	case ctx.Err() != nil:
		return check.Broken("interrupted")
	case err == nil:
		return check.Broken("no-answer", node, "")
	case errors.Is(err, remote.ErrDisconnected):
		return check.Broken("cut-off", node, brief(err))
	case errors.Is(err, context.DeadlineExceeded):
		return check.Broken("no-answer", node, brief(err))
	}
	return check.Broken("unreachable", node, brief(err))
}

// brief is an error on one line.
func brief(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }

// maxAnswers bounds what one node can say in a round, in bytes.
const maxAnswers = 32 << 20

// ask puts all questions to a node in one session.
func (r *Room) ask(ctx context.Context, node string, e Exam, outcomes []Outcome, which []int) (map[int]check.Facts, error) {
	host, err := r.host(ctx, node)
	if err != nil {
		return nil, err
	}
	var questions []check.Question
	for _, i := range which {
		c := &outcomes[i].Check
		questions = append(questions, check.Question{Probe: c.Kind().Probe(), Limit: c.Limit()})
	}
	limit := check.Duration(questions)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no end within %s: %w", limit, context.DeadlineExceeded))
	defer cancel()
	var out bounded
	_, err = host.Run(ctx, remote.Command{
		Args: append(cleanEnvironment("/root"), "bash", "--noprofile", "--norc", "-s"), Sudo: true, Secret: true,
		Stdin: strings.NewReader(check.Bundle(questions, r.env(node, e.Env))), Stdout: &out,
	})
	if errors.Is(err, remote.ErrDisconnected) {
		r.drop(node, host)
	}
	return check.Answers(out.Bytes(), len(questions)), err
}

// bounded keeps the beginning of what is written.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxAnswers {
		return 0, errors.New("the node's answers are too long")
	}
	return b.Buffer.Write(p)
}

// env are the variables that scripts get on a node.
func (r *Room) env(node string, values map[string]string) map[string]string {
	env := maps.Clone(values)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, map[string]string{
		"PODIUM_NODE": node, "PODIUM_USER": r.Lab.User, "PODIUM_LANG": r.Language, "KUBECONFIG": "/etc/kubernetes/admin.conf",
	})
	return env
}

// cleanEnvironment begins a command that has nothing of its caller's environment.
func cleanEnvironment(home string) []string {
	return []string{"env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=" + home}
}
