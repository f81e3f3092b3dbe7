package vagrant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/remote"
)

// Up creates or starts the machine. One that Vagrant has brought up before, with the same settings, is started
// directly; everything else is `vagrant up`. When it returns, the machine answers to the lab's own key. Without Prepare
// it starts what was made before, as it was.
func (p *Provider) Up(ctx context.Context, name string) (remote.Endpoint, error) {
	f, err := p.tools(ctx)
	if err != nil {
		return remote.Endpoint{}, err
	}
	known, err := p.recall(name)
	if err != nil {
		return remote.Endpoint{}, err
	}
	digest, err := p.digest(name, known)
	if err != nil {
		return remote.Endpoint{}, err
	}
	id, err := p.id(name)
	if err != nil {
		return remote.Endpoint{}, err
	}
	vms, err := settled(ctx, f.hypervisor, id)
	if err != nil {
		return remote.Endpoint{}, err
	}
	current, exists := vms[id]
	if current.state == machine.Crashed {
		p.say(name, "has crashed: switching it off and booting it again")
		if err := switchOff(ctx, f.hypervisor, id); err != nil {
			return remote.Endpoint{}, err
		}
		current.state, current.condition = machine.Stopped, ""
	}
	complete := exists && known.ID == id // Vagrant's boot of it has come to its end once
	switch {
	case complete && (current.state == machine.Running || current.condition == conditionSaved):
		if known.Made != digest {
			p.say(name, "goes on as it was made, although lab.yaml has changed: halt it, then podium up lets Vagrant apply sizes and ports; the rest needs a new machine")
		}
		return p.goOn(ctx, f.hypervisor, name, id, current)
	case complete && known.Made == digest:
		at, err := p.start(ctx, f.hypervisor, name, id)
		if err == nil {
			return at, nil
		}
		if ctx.Err() != nil || errors.Is(err, ErrPortTaken) {
			return remote.Endpoint{}, err
		}
		p.o.Log.Warn("start without Vagrant failed", "node", name, "reason", err)
		p.say(name, "does not start by itself, asking Vagrant")
	case exists && current.state == machine.Running:
		// A boot was cut short in here. Vagrant would take the machine for finished.
		p.say(name, "was left half made: booting it again")
		if err := switchOff(ctx, f.hypervisor, id); err != nil {
			return remote.Endpoint{}, err
		}
	case !exists:
		if err := p.refuseOrphan(p.o.Lab+"-"+name, vms); err != nil {
			return remote.Endpoint{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	if known, err = p.recall(name); err != nil {
		return remote.Endpoint{}, err
	}
	at := p.endpoint(name, known)
	if err := p.create(ctx, f, at, exists, vms); err != nil {
		return remote.Endpoint{}, err
	}
	if id, err = p.id(name); err != nil {
		return remote.Endpoint{}, err
	}
	return at, p.remember(func(nodes map[string]nodeState) {
		n := nodes[name]
		n.ID, n.Made = id, digest
		nodes[name] = n
	})
}

// goOn has a machine that runs, is paused or whose memory was saved do its work, with the ports and sizes that it has.
func (p *Provider) goOn(ctx context.Context, h hypervisor, name, id string, is vm) (at remote.Endpoint, err error) {
	switch is.condition {
	case conditionPaused:
		err = h.resume(ctx, id)
	case conditionSaved:
		return p.start(ctx, h, name, id)
	}
	if err != nil {
		return remote.Endpoint{}, err
	}
	known, err := p.recall(name)
	return p.endpoint(name, known), err
}

// start boots a machine without Vagrant, which has set it up before.
func (p *Provider) start(ctx context.Context, h hypervisor, name, id string) (remote.Endpoint, error) {
	if v, ok := h.(vbox); ok {
		if err := p.claimPorts(ctx, v, name, id); err != nil {
			return remote.Endpoint{}, err
		}
	}
	if err := h.start(ctx, id); err != nil {
		return remote.Endpoint{}, err
	}
	known, err := p.recall(name)
	return p.endpoint(name, known), err
}

// create boots a machine for the first time, or again after a boot that was cut short: as a clone with the hardware of one that Vagrant has
// booted, or by Vagrant. In the end it answers to the lab's key.
func (p *Provider) create(ctx context.Context, f *found, at remote.Endpoint, exists bool, vms map[string]vm) error {
	if exists {
		return p.byVagrant(ctx, f, at, nil)
	}
	m, leads := p.templateFor(ctx, f, at.Node, vms)
	if leads {
		err := p.byVagrant(ctx, f, at, m)
		p.finishTemplate(ctx, m, at, err)
		return err
	}
	if m != nil {
		if made, err := p.fastBoot(ctx, f, m, at); made || err != nil {
			return err
		}
	}
	return p.byVagrant(ctx, f, at, nil)
}

// Takes says when a machine takes a changed setting: Vagrant changes sizes before it boots a machine, and nothing else on
// one that exists.
func (p *Provider) Takes(_ lab.Lab, s machine.Setting) machine.Effect {
	if s == machine.CPUs || s == machine.Memory {
		return machine.WhenStarted
	}
	return machine.WhenMade
}

// byVagrant boots a machine by `vagrant up`. m, if the machine is a template, learns of its boot.
func (p *Provider) byVagrant(ctx context.Context, f *found, at remote.Endpoint, m *templateMachine) error {
	booted, err := p.vagrantUp(ctx, f, at.Node, m)
	switch {
	case stumbled(err):
		p.say(at.Node, "Vagrant stumbled over the machine's first minute, booting it again")
		err = p.bootAgain(ctx, f, at.Node, m)
	case err == nil && !booted:
		// Vagrant takes a machine that runs for finished. This one was started meanwhile by what a podium that was killed
		// has left running, and nothing is set up inside.
		p.say(at.Node, "was started by something else, booting it again")
		err = p.bootAgain(ctx, f, at.Node, m)
	}
	if err != nil {
		return err
	}
	return p.replaceKey(ctx, f, at)
}

// stumbled reports whether Vagrant failed in a way that another boot gets over: it had its way in, but a command on the
// machine or the connection failed, as happens while much is still starting.
func stumbled(err error) bool {
	var failed *CommandError
	if !errors.As(err, &failed) || failed.Err != nil {
		return false
	}
	switch strings.TrimPrefix(failed.Class, classPrefix) {
	case "SSHDisconnected", "SSHConnectionReset", "SSHConnectionAborted", "SSHChannelOpenFail", "SSHNoExitStatus", "SSHNotReady":
		return true
	}
	return strings.Contains(failed.Message, "SSH command responded with a non-zero exit status")
}

// bootAgain switches the machine off, so that Vagrant does not take it for finished, and boots it once more.
func (p *Provider) bootAgain(ctx context.Context, f *found, name string, m *templateMachine) error {
	if err := p.withMachine(ctx, name, func(f *found, id string, vm vm) error {
		if !vm.on() {
			return nil
		}
		return switchOff(ctx, f.hypervisor, id)
	}); err != nil {
		return err
	}
	_, err := p.vagrantUp(ctx, f, name, m)
	return err
}

// digest is that of the settings which Prepare was given for a machine. Without Prepare it is the one that the machine
// was made with.
func (p *Provider) digest(name string, known nodeState) (string, error) {
	if len(p.spec.Machines) == 0 && known.Made != "" {
		return known.Made, nil
	}
	if !slices.ContainsFunc(p.spec.Machines, func(m lab.Machine) bool { return m.Name == name }) {
		return "", fmt.Errorf("%s: not a node of the lab that was prepared: %w", name, machine.ErrNotFound)
	}
	v, err := p.describe(p.spec)
	if err != nil {
		return "", err
	}
	return settings(v, name)
}

// endpoint says how to reach a machine: VirtualBox forwards a port of this computer, libvirt's network is at hand.
func (p *Provider) endpoint(name string, known nodeState) remote.Endpoint {
	p.mu.Lock()
	user := p.memory.User
	p.mu.Unlock()
	if p.isLibvirt() {
		return remote.Endpoint{Node: name, Host: known.Address, Port: 22, User: user}
	}
	return remote.Endpoint{Node: name, Host: "127.0.0.1", Port: known.Port, User: user}
}

// vagrantUp runs `vagrant up` for one machine. The first one to come makes what all share (the linked clones' master,
// the host-only network) while the others wait; then as many run side by side as there are slots. m, if the machine is a
// template, learns its hardware. booted says that Vagrant has really started the machine.
func (p *Provider) vagrantUp(ctx context.Context, f *found, name string, m *templateMachine) (booted bool, err error) {
	if err := f.needVagrant(); err != nil {
		return false, err
	}
	leads, err := p.takeTurn(ctx)
	if err != nil {
		return false, err
	}
	release := func(sharedExists bool) {
		if leads && sharedExists {
			p.once.Do(func() { close(p.shared) })
		}
	}
	defer func() {
		if leads {
			<-p.leader
		}
	}()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	out := newTranscript(func(line uiLine) {
		if line.booting() {
			booted = true
			release(true)
		}
		// Not before: VirtualBox refuses to start a machine that is being asked for its hardware.
		if line.started() && m != nil {
			p.readHardware(ctx, f, m)
		}
		if text := line.progress(); text != "" {
			p.say(name, text)
		}
	})
	limited, cancel := context.WithTimeout(ctx, p.bootDeadline()) // for the waiting; each try has a deadline of its own
	defer cancel()
	wait := 2 * time.Second
	for try := 1; ; try++ {
		err := p.vagrantOnce(ctx, f, out, name)
		var failed *CommandError
		if err == nil || !errors.As(err, &failed) || !p.worthWaiting(ctx, failed, name, try) {
			release(err == nil)
			return booted, err
		}
		p.say(name, fmt.Sprintf("%s, trying again in %s", failed.Cause, wait))
		if err := pause(limited, wait); err != nil {
			return booted, failed
		}
		wait = min(2*wait, 15*time.Second)
	}
}

// bootDeadline bounds one run of Vagrant.
func (p *Provider) bootDeadline() time.Duration { return max(p.o.BootDeadline, p.spec.Lab.BootLimit()) }

// takeTurn waits until the machine may boot, and says whether it boots alone because it makes what all share.
func (p *Provider) takeTurn(ctx context.Context) (leads bool, err error) {
	select {
	case <-p.shared:
		return false, nil
	default:
	}
	select {
	case <-p.shared:
		return false, nil
	case p.leader <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (p *Provider) vagrantOnce(ctx context.Context, f *found, out *transcript, name string) error {
	out.reset()
	var stderr tail
	_, err := f.vagrant.stream(ctx, p.bootDeadline(), out, &stderr, "up", name, "--no-provision", "--no-destroy-on-error", "--machine-readable")
	var failed *CommandError
	if errors.As(err, &failed) {
		failed.Node = name
		out.explain(failed, stderr.String())
	}
	return err
}

// leaseTries is how often a boot is tried whose ports are free although Vagrant says otherwise: for some 75 seconds.
const leaseTries = 8

// worthWaiting reports whether a failed boot is likely to succeed in a while: another Vagrant works on the machine (a
// podium that was killed leaves one), or has left its lease of a port, which ends after a minute.
func (p *Provider) worthWaiting(ctx context.Context, failed *CommandError, name string, try int) bool {
	switch failed.Class {
	case classLocked:
		return true
	case classPortTaken:
		ports, err := p.portsOf(name)
		return err == nil && try < leaseTries && !slices.ContainsFunc(ports, func(port int) bool { return !portFree(ctx, port) })
	}
	return false
}

// portsOf lists the ports of this computer that lead to a machine.
func (p *Provider) portsOf(name string) ([]int, error) {
	known, err := p.recall(name)
	if err != nil {
		return nil, err
	}
	ports := []int{known.Port}
	for _, m := range p.spec.Machines {
		for _, f := range m.Forward {
			if m.Name == name {
				ports = append(ports, f.Host)
			}
		}
	}
	return ports, nil
}
