package vagrant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"podium/provision/machine"
)

// passingFor bounds the wait for a machine that is on its way from one state to another. Writing the memory of a large
// machine to a slow disk takes minutes.
const passingFor = 5 * time.Minute

// on reports whether the machine has a process.
func (v vm) on() bool { return v.state == machine.Running || v.state == machine.Crashed }

// settled lists all machines as soon as that of this id is not on its way from one state to another.
func settled(ctx context.Context, h hypervisor, id string) (map[string]vm, error) {
	return listUntil(ctx, h, id, func(is vm) bool { return !is.passing })
}

// listUntil lists all machines as soon as that of this id is as it should be, or gone.
func listUntil(ctx context.Context, h hypervisor, id string, enough func(vm) bool) (map[string]vm, error) {
	for begin := time.Now(); ; {
		vms, err := h.machines(ctx)
		if err != nil {
			return nil, err
		}
		is, exists := vms[id]
		if !exists || enough(is) {
			return vms, nil
		}
		if waited := time.Since(begin); waited > passingFor {
			return nil, fmt.Errorf("machine %q is still %s after %s: look at it in the hypervisor's window, and end its process if it hangs",
				is.name, is, waited.Round(time.Second))
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return nil, fmt.Errorf("machine %q is still %s: %w", is.name, is, err)
		}
	}
}

// String is the hypervisor's word for the state, or podium's.
func (v vm) String() string {
	if v.condition != "" {
		return v.condition
	}
	return string(v.state)
}

// stop asks a machine to power off, and switches it off when it cannot or does not.
func (p *Provider) stop(ctx context.Context, h hypervisor, name, id string, is vm) error {
	err := p.shutDown(ctx, h, id, is)
	if err == nil || ctx.Err() != nil {
		return err
	}
	p.say(name, err.Error()+": switching it off")
	p.o.Log.Warn("switching off", "node", name, "reason", err)
	return switchOff(ctx, h, id)
}

var errCrashed = errors.New("has crashed")

// shutDown presses the power button and waits until the machine is off. An error says why it is not.
func (p *Provider) shutDown(ctx context.Context, h hypervisor, id string, is vm) error {
	if is.state == machine.Crashed {
		return errCrashed
	}
	asked, cancel := context.WithTimeout(ctx, p.o.HaltDeadline)
	defer cancel()
	if is.condition == conditionPaused {
		if err := h.resume(asked, id); err != nil {
			return fmt.Errorf("is paused and does not wake up: %w", err)
		}
	}
	if err := h.askToStop(asked, id); err != nil {
		return fmt.Errorf("does not take its power button: %w", err)
	}
	vms, err := listUntil(asked, h, id, func(is vm) bool { return !is.passing && is.state != machine.Running })
	switch {
	case asked.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("does not power off by itself within %s", p.o.HaltDeadline)
	case err != nil:
		return err
	case vms[id].state == machine.Crashed:
		return errCrashed
	}
	return h.unlocked(ctx, id)
}

// switchOff pulls the plug and waits until the machine is off and the hypervisor has let go of it.
func switchOff(ctx context.Context, h hypervisor, id string) error {
	if err := h.powerOff(ctx, id); err != nil {
		return err
	}
	if _, err := listUntil(ctx, h, id, func(is vm) bool { return !is.passing && !is.on() }); err != nil {
		return err
	}
	return h.unlocked(ctx, id)
}
