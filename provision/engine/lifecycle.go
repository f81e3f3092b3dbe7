package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"podium/provision/folder"
	"podium/provision/machine"
	"podium/provision/remote"
	"podium/provision/state"
)

// Halt stops the machines in an orderly way; without names all of them. It goes on with the others when one cannot be
// stopped, and names each that could not (*NodeError).
func (e *Engine) Halt(ctx context.Context, nodes ...string) error {
	return e.change(func(j *job) error {
		all, err := j.machines(ctx)
		if err != nil {
			return err
		}
		names, err := choose(all, nodes)
		if err != nil {
			return err
		}
		return j.halt(ctx, names)
	})
}

func (j *job) halt(ctx context.Context, names []string) error {
	return j.each(ctx, "halt", names, func(ctx context.Context, name string) error {
		if err := j.Provider.Halt(ctx, name); err != nil {
			return err
		}
		j.note(name, "halted")
		return nil
	})
}

// Destroy removes the machines with all they hold; without names all of them, and then what they shared. It works for
// machines that were made only half, and for those that only the state or only the provider knows of. It goes on with
// the others when one cannot be removed, and forgets those that are gone.
func (e *Engine) Destroy(ctx context.Context, nodes ...string) error {
	return e.change(func(j *job) error {
		all, err := j.machines(ctx)
		if err != nil {
			// Destroying everything gets as far as the state knows the way.
			j.note("", "%v", err)
		}
		names, chooseErr := choose(all, nodes)
		if chooseErr != nil {
			return errors.Join(err, chooseErr)
		}
		if err := errors.Join(err, j.destroy(ctx, names)); err != nil {
			return err
		}
		if len(nodes) > 0 {
			return nil
		}
		if err := j.Provider.Cleanup(ctx); err != nil {
			return fmt.Errorf("the machines are gone, but not what they shared: %w", err)
		}
		j.record.Update(func(s *state.State) { *s = state.State{} })
		return nil
	})
}

func (j *job) destroy(ctx context.Context, names []string) error {
	return j.each(ctx, "destroy", names, func(ctx context.Context, name string) error {
		if err := j.Provider.Destroy(ctx, name); err != nil {
			return err
		}
		if j.Forget != nil {
			// On a full disk the key stays; it is forgotten again before the next machine of the name is made.
			if err := j.Forget(remote.Endpoint{Node: name}); err != nil && !folder.IsFull(err) {
				return fmt.Errorf("the machine is gone, but not its host key: %w", err)
			}
		}
		j.record.Update(func(s *state.State) { forgetNode(s, name) })
		j.note(name, "destroyed")
		return nil
	})
}

// forgetNode removes all that is known of a node.
func forgetNode(s *state.State, name string) {
	delete(s.Machines, name)
	delete(s.Steps, name)
	delete(s.Facts, name)
	delete(s.Failures, name)
}

// stopDeadline is how long machines may take to stop after they were halted.
const stopDeadline = 3 * time.Minute

// stop halts machines and waits until the provider says that they have stopped.
func (j *job) stop(ctx context.Context, names []string) error {
	if err := j.halt(ctx, names); err != nil {
		return err
	}
	return j.stopped(ctx, names)
}

// switchOff stops machines whose disks are about to be thrown away: at once, where the provider can do that.
func (j *job) switchOff(ctx context.Context, names []string) error {
	power, ok := j.Provider.(machine.PowerSwitch)
	if !ok {
		return j.stop(ctx, names)
	}
	err := j.each(ctx, "switch off", names, func(ctx context.Context, name string) error {
		return power.PowerOff(ctx, name)
	})
	if err != nil {
		return err
	}
	return j.stopped(ctx, names)
}

// stopped waits until the provider says that machines have stopped.
func (j *job) stopped(ctx context.Context, names []string) error {
	limit, cancel := context.WithTimeout(ctx, stopDeadline)
	defer cancel()
	w := j.events.waitFor(wait{doing: "the machines stop"})
	defer w.over()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		all, err := j.machines(limit)
		if err != nil {
			return err
		}
		var up []string
		for _, name := range names {
			if all[name] != machine.Stopped {
				up = append(up, fmt.Sprintf("%s is %s", name, all[name]))
			}
		}
		if len(up) == 0 {
			return nil
		}
		w.say("", strings.Join(up, ", "))
		if err := sleep(limit, pause); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return fmt.Errorf("%s %v after it was halted: look at its console, halt it by hand, and try again", strings.Join(up, ", "), stopDeadline)
		}
	}
}

// start brings machines up, waits for their sshd, and writes down what they have; then it waits until the checks of
// the steps done on them hold again, since services need a while after a boot.
func (j *job) start(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	if err := j.markUnchecked(names...); err != nil {
		return err
	}
	nodes := make(map[string]*node, len(names))
	for _, name := range names {
		n := j.node(name, j.scripts)
		n.says = func(text string) { j.events.heardOf(name, text) }
		nodes[name] = n
	}
	err := j.each(ctx, "start", names, func(ctx context.Context, name string) error {
		n := nodes[name]
		if err := n.boot(ctx); err != nil {
			return err
		}
		if err := n.inspect(ctx); err != nil {
			return err
		}
		j.noteArrival(ctx, n, 0)
		j.note(name, "started")
		return nil
	})
	if err == nil {
		err = j.recover(ctx, names, nodes)
	}
	for _, n := range nodes {
		n.close()
	}
	return err
}
