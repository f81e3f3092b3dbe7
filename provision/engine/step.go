package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"podium/provision/event"
	"podium/provision/plan"
	"podium/provision/remote"
)

// secretPrefix begins the keys of facts that are secrets: they stand in no log and no event.
const secretPrefix = "secret_"

// step runs a step on its node and returns the facts that anyone may see.
func (r *run) step(ctx context.Context, t plan.Task, result *TaskResult) (map[string]string, error) {
	log, err := r.Dir.Log(t.Node, t.Step)
	if err != nil {
		return nil, r.failure(t, nil, err)
	}
	result.Log = log.Path()
	out := newOutput(t.Node, t.Step, log, r.events)
	out.conceal(r.nodes[t.Node].secrets())
	start := time.Now()
	said, err := r.attempts(ctx, t, out, result)
	took := time.Since(start)
	if closeErr := errors.Join(out.failed(), log.Close()); closeErr != nil {
		r.emit(event.Event{Kind: event.Note, Node: t.Node, Step: t.Step, Text: "its log is not whole: " + closeErr.Error()})
	}
	var facts map[string]string
	if err == nil {
		facts, err = r.work.done(t, said, took)
	}
	switch {
	case err == nil:
		return facts, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, r.failure(t, out, err)
}

// attempts runs a step until it ends well, fails for good, or has been tried often enough.
func (r *run) attempts(ctx context.Context, t plan.Task, out *output, result *TaskResult) (answer, error) {
	for {
		result.Attempts++
		if err := out.try(result.Attempts, time.Now()); err != nil {
			return answer{}, fmt.Errorf("write the log: %w", err)
		}
		said, err := r.attempt(ctx, t, out)
		out.flush()
		switch {
		case err == nil:
			return said, nil
		case ctx.Err() != nil:
			return answer{}, context.Cause(ctx)
		case !worthRetry(err) || result.Attempts >= r.retry.Tries:
			return answer{}, err
		}
		pause := r.retry.pause(result.Attempts)
		r.emit(event.Event{
			Kind: event.TaskRetrying, Node: t.Node, Step: t.Step, Attempt: result.Attempts, Tries: r.retry.Tries, Duration: pause,
			Error: out.clean(whyAgain(err, out.tail())),
		})
		if err := sleep(ctx, pause); err != nil {
			return answer{}, err
		}
	}
}

// attempt runs a step once: its inputs, then its bundle.
func (r *run) attempt(ctx context.Context, t plan.Task, out *output) (answer, error) {
	n := r.nodes[t.Node]
	inputs := map[string]string{}
	for _, in := range t.Inputs {
		facts, err := r.input(ctx, t, in, out)
		if err != nil {
			return answer{}, fmt.Errorf("%s on %s: %w", in.Script.Name, in.Node, err)
		}
		maps.Copy(inputs, facts)
		out.conceal(slices.Concat(n.secrets(), slices.Collect(maps.Values(inputs))))
	}
	text, err := r.work.bundle(t, inputs)
	if err != nil {
		return answer{}, err
	}
	return n.run(ctx, session{step: t.Step, script: t.Script.Name, bundle: text, timeout: t.Timeout, out: out})
}

// input runs what another node contributes to a task, and returns the facts that it reports.
func (r *run) input(ctx context.Context, t plan.Task, in plan.Input, out *output) (map[string]string, error) {
	text, err := r.scripts.inputBundle(in)
	if err != nil {
		return nil, err
	}
	said, err := r.nodes[in.Node].run(ctx, session{
		step: t.Step + ".for." + t.Node, script: in.Script.Name, bundle: text, timeout: t.Timeout, out: out,
	})
	return said.Marker.Facts, err
}

// session is one bundle to run on a node.
type session struct {
	step    string // name of its lock and its files there
	script  string // for messages
	bundle  string
	timeout time.Duration // 0: none
	out     *output
}

// run sends a bundle to the node and waits for its end.
func (n *node) run(ctx context.Context, s session) (answer, error) {
	host, err := n.connect(ctx)
	if err != nil {
		return answer{}, err
	}
	limit, cancel := within(ctx, s.timeout)
	defer cancel()
	var stdout limited
	command := n.command(s.step, s.bundle)
	command.Stdout, command.Stderr = &stdout, s.out
	_, err = host.Run(limit, command)
	said, parseErr := parseAnswer(stdout.Bytes())
	s.out.concealed(secretValues(said.Marker.Facts), n.secrets())
	if err == nil {
		return said, parseErr
	}
	return said, n.judge(ctx, limit, host, s, said, err)
}

// judge says what the end of a session with an error means.
func (n *node) judge(ctx, limit context.Context, host remote.Host, s session, said answer, err error) error {
	exit, exited := errors.AsType[*remote.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limit.Err() != nil:
		return &TimeoutError{Script: s.script, Probe: said.Probed, After: s.timeout}
	case remote.Classify(err) == remote.Retry:
		n.drop(host)
		return err
	case !exited || errors.Is(err, remote.ErrSudo):
		return err
	}
	// Stderr is in the log already, without secrets; here it would be with them.
	exit = &remote.ExitError{Host: exit.Host, Code: exit.Code, Signal: exit.Signal, Stderr: strings.Join(s.out.tail(), "\n")}
	failure := &ScriptError{Script: s.script, Probe: said.Probed, Code: exit.Code, Err: exit}
	switch {
	case exit.Code == exitTemporary:
		return failure
	case n.goingDown(ctx, host):
		n.drop(host)
		return &downError{failure}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case said.Exit < 0:
		return fmt.Errorf("the step could not be started: %w", exit)
	}
	return failure
}

// secretValues are the values of those facts that are secrets.
func secretValues(facts map[string]string) []string {
	var values []string
	for key, value := range facts {
		if strings.HasPrefix(key, secretPrefix) {
			values = append(values, value)
		}
	}
	return values
}

// public is facts without the secrets; hidden is the keys of those, sorted.
func public(facts map[string]string) (open map[string]string, hidden []string) {
	for key, value := range facts {
		if strings.HasPrefix(key, secretPrefix) {
			hidden = append(hidden, key)
			continue
		}
		if open == nil {
			open = map[string]string{}
		}
		open[key] = value
	}
	slices.Sort(hidden)
	return open, hidden
}
