package engine

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// recoverStep is the name under which a node's checks run again after a boot; its log is named after it.
const recoverStep = "recover"

// recoverDeadline is how long services may take until the checks hold again after a boot.
const recoverDeadline = 10 * time.Minute

// recover waits, on several nodes at once, until the checks of all steps done there hold again. The checks run as they
// lie on the nodes, so that this needs no description.
func (j *job) recover(ctx context.Context, names []string, nodes map[string]*node) error {
	return j.each(ctx, "wait until its services work again", names, func(ctx context.Context, name string) error {
		return j.recoverNode(ctx, nodes[name])
	})
}

func (j *job) recoverNode(ctx context.Context, n *node) error {
	log, err := j.Dir.Log(n.name, recoverStep)
	if err != nil {
		return err
	}
	defer log.Close()
	out := newOutput(n.name, recoverStep, log, j.events)
	_, err = n.run(ctx, session{
		step: recoverStep, script: "the start of its services", bundle: j.scripts.recoverBundle(n.stepsDone(), recoverDeadline), timeout: recoverDeadline, out: out,
	})
	out.flush()
	if err == nil {
		return nil
	}
	if last := out.tail(); len(last) > 0 {
		return fmt.Errorf("%w: %s (log: %s)", err, strings.Join(last, "; "), log.Path())
	}
	return err
}
