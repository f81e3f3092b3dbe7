// Package vagrant makes machines in VirtualBox or libvirt through Vagrant. Vagrant boots them, from a Vagrantfile that
// people may read and use themselves; what Vagrant is slow at (status, halt, start, snapshots) goes to VBoxManage or
// virsh directly, by the machine ids that Vagrant keeps, in a way that Vagrant agrees with afterwards.
//
//	.podium/vagrant/Vagrantfile   rewritten by every Prepare
//	.podium/vagrant/podium.json   ports and what is known to be complete
//	.podium/vagrant/.vagrant/     Vagrant's own: machine ids and keys
package vagrant

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/remote"
	"podium/templates"
)

// Dialer connects to nodes, waiting until their sshd answers; *remote.Dialer is one.
type Dialer interface {
	Dial(ctx context.Context, e remote.Endpoint) (remote.Host, error)
	// Forget removes what is pinned of a node, because the next machine of that name is another one.
	Forget(ctx context.Context, node string) error
}

// Options says where a Provider works and with what. Zero fields have the defaults named here.
type Options struct {
	Provider     string // lab.ProviderVirtualBox or lab.ProviderLibvirt
	Lab          string // name of the lab
	Dir          string // the provider's own folder, .podium/vagrant of the lab
	Dialer       Dialer // for the lab's key, which replaces Vagrant's at the first boot
	BootParallel int    // boots at once; 0: 2
	FastBoot     bool   // Vagrant makes the first machine only, podium clones the others itself (fastboot.go)
	Sink         event.Sink
	Log          hclog.Logger

	Tools        Tools         // empty paths are looked for when they are needed
	BootDeadline time.Duration // for one `vagrant up`, without the box's download; 0: 20 minutes
	CallDeadline time.Duration // for one call of VBoxManage or virsh that changes no disks; 0: 1 minute
	HaltDeadline time.Duration // for a machine to power off when asked, before it is switched off; 0: 90 seconds

	exec     execute       // for tests; nil: processes
	patience time.Duration // for tests; as in vbox
}

// Provider makes the machines of one lab. It is a machine.Provider.
type Provider struct {
	o    Options
	spec machine.Spec // set by Prepare

	mu     sync.Mutex
	memory memory // podium.json
	loaded bool
	found  *found // tools, once they were looked for

	template *templateMachine // of clones; nil: none yet

	slots  chan struct{} // one per boot that may run
	leader chan struct{} // held by the boot that makes what the machines share
	shared chan struct{} // closed once that exists
	once   *sync.Once    // closes shared
}

var (
	_ machine.Limited     = (*Provider)(nil)
	_ machine.PowerSwitch = (*Provider)(nil)
)

// startLimit is how many machines are started at once where Vagrant is not needed.
const startLimit = 8

// UpLimit is how many machines boot at once: the engine gives the other places to work on those that have booted.
func (p *Provider) UpLimit() int { return max(p.o.BootParallel, startLimit) }

// New makes a Provider. It touches nothing.
func New(o Options) *Provider {
	if o.BootParallel < 1 {
		o.BootParallel = 2
	}
	if o.BootDeadline == 0 {
		o.BootDeadline = 20 * time.Minute
	}
	if o.CallDeadline == 0 {
		o.CallDeadline = time.Minute
	}
	if o.HaltDeadline == 0 {
		o.HaltDeadline = 90 * time.Second
	}
	if o.Sink == nil {
		o.Sink = event.Func(func(event.Event) {})
	}
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	return &Provider{
		o:      o,
		slots:  make(chan struct{}, o.BootParallel),
		leader: make(chan struct{}, 1),
		shared: make(chan struct{}),
		once:   new(sync.Once),
	}
}

// Prepare writes the Vagrantfile, pins an SSH port of this computer for each machine and fetches the box if it is not
// here yet. It boots nothing.
func (p *Provider) Prepare(ctx context.Context, s machine.Spec) error {
	f, err := p.tools(ctx)
	if err != nil {
		return err
	}
	vms, err := f.hypervisor.machines(ctx)
	if err != nil {
		return err
	}
	p.spec = s
	if err := p.noteMachines(ctx, s, vms); err != nil {
		return err
	}
	if _, err := p.WriteVagrantfile(s); err != nil {
		return err
	}
	if err := p.fetchBox(ctx, f, s.Lab); err != nil {
		return err
	}
	if p.sharedExists(ctx, f, s.Lab, vms) {
		p.once.Do(func() { close(p.shared) })
	}
	return nil
}

// Status tells the state of the lab's machines by one call of VBoxManage or two of virsh, however many there are.
func (p *Provider) Status(ctx context.Context) (map[string]machine.State, error) {
	ids, err := p.ids()
	if err != nil || len(ids) == 0 {
		return map[string]machine.State{}, err
	}
	f, err := p.tools(ctx)
	if err != nil {
		return nil, err
	}
	vms, err := f.hypervisor.machines(ctx)
	if err != nil {
		return nil, err
	}
	states := make(map[string]machine.State, len(ids))
	for name, id := range ids {
		if vm, ok := vms[id]; ok {
			states[name] = vm.state
		}
	}
	return states, nil
}

// Halt asks the machine to power off, as its power button would, and switches it off when that takes too long.
func (p *Provider) Halt(ctx context.Context, name string) error {
	return p.withMachine(ctx, name, func(f *found, id string, vm vm) error {
		if vm.state == machine.Stopped {
			return nil
		}
		return p.stop(ctx, f.hypervisor, name, id, vm)
	})
}

// PowerOff pulls the machine's plug.
func (p *Provider) PowerOff(ctx context.Context, name string) error {
	return p.withMachine(ctx, name, func(f *found, id string, vm vm) error {
		if vm.state == machine.Stopped {
			return nil
		}
		return switchOff(ctx, f.hypervisor, id)
	})
}

// Snapshot keeps the stopped machine's disks under tag. A snapshot that has the tag already is replaced, once the new
// one exists.
func (p *Provider) Snapshot(ctx context.Context, name, tag string) error {
	return p.mustHave(ctx, name, func(f *found, id string) error {
		old, err := f.hypervisor.snapshots(ctx, id)
		if err != nil {
			return err
		}
		if err := f.hypervisor.takeSnapshot(ctx, id, tag, hasTag(old, tag)); err != nil {
			return err
		}
		for _, s := range old {
			if s.tag == tag && s.id != tag { // libvirt knows snapshots by name only and has replaced it
				if err := f.hypervisor.deleteSnapshot(ctx, id, s.id); err != nil {
					return fmt.Errorf("%s: snapshot %q: remove the one it replaces: %w", name, tag, err)
				}
			}
		}
		return nil
	})
}

// Restore brings the machine's disks back to tag and leaves it stopped.
func (p *Provider) Restore(ctx context.Context, name, tag string) error {
	return p.mustHave(ctx, name, func(f *found, id string) error {
		all, err := f.hypervisor.snapshots(ctx, id)
		if err != nil {
			return err
		}
		for _, s := range all {
			if s.tag == tag {
				return f.hypervisor.restoreSnapshot(ctx, id, s.id)
			}
		}
		return fmt.Errorf("%s: snapshot %q: %w", name, tag, machine.ErrNoSnapshot)
	})
}

// DeleteSnapshot removes what is kept under tag.
func (p *Provider) DeleteSnapshot(ctx context.Context, name, tag string) error {
	return p.withMachine(ctx, name, func(f *found, id string, _ vm) error {
		all, err := f.hypervisor.snapshots(ctx, id)
		if err != nil {
			return err
		}
		for _, s := range all {
			if s.tag == tag {
				if err := f.hypervisor.deleteSnapshot(ctx, id, s.id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Cleanup removes the Vagrantfile and what stands beside it, and libvirt's network of the lab. The box and the master
// that linked clones share stay, since other labs may use them; so does VirtualBox's host-only network.
func (p *Provider) Cleanup(ctx context.Context) error {
	if err := p.removeNetwork(ctx); err != nil {
		return err
	}
	if err := p.files().RemoveAll("."); err != nil {
		return fmt.Errorf("remove the Vagrantfile: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.memory, p.loaded = memory{}, false
	return ctx.Err()
}

// removeNetwork removes libvirt's private network of the lab. Vagrant does so only with the machine that it was made for,
// and only when no other machine is left on it.
func (p *Provider) removeNetwork(ctx context.Context) error {
	if !p.isLibvirt() {
		return nil
	}
	if !p.files().Exists(memoryName) {
		return nil // podium has never made anything here
	}
	f, err := p.tools(ctx)
	if errors.Is(err, ErrNoTool) {
		return nil
	}
	if err != nil {
		return err
	}
	v, ok := f.hypervisor.(virsh)
	if !ok {
		return nil
	}
	if err := v.removeNetwork(ctx, templates.Vagrantfile{Lab: p.o.Lab}.LibvirtNetwork()); err != nil {
		return fmt.Errorf("remove the lab's network: %w", err)
	}
	return nil
}

// withMachine calls do with the machine's id; it returns nil without a call when the machine is missing.
func (p *Provider) withMachine(ctx context.Context, name string, do func(*found, string, vm) error) error {
	err := p.lookUp(ctx, name, do)
	if errors.Is(err, machine.ErrNotFound) {
		return nil
	}
	return err
}

// mustHave calls do with the machine's id; a missing machine is ErrNotFound.
func (p *Provider) mustHave(ctx context.Context, name string, do func(*found, string) error) error {
	return p.lookUp(ctx, name, func(f *found, id string, _ vm) error { return do(f, id) })
}

func (p *Provider) lookUp(ctx context.Context, name string, do func(*found, string, vm) error) error {
	id, err := p.id(name)
	if err != nil {
		return err
	}
	if id == "" {
		return fmt.Errorf("%s: %w", name, machine.ErrNotFound)
	}
	f, err := p.tools(ctx)
	if err != nil {
		return err
	}
	vms, err := settled(ctx, f.hypervisor, id)
	if err != nil {
		return err
	}
	vm, ok := vms[id]
	if !ok {
		return fmt.Errorf("%s (id %s): %w", name, id, machine.ErrNotFound)
	}
	return do(f, id, vm)
}

// say shows a line of progress of a machine's boot.
func (p *Provider) say(node, text string) {
	p.o.Sink.Emit(event.Event{Time: time.Now(), Kind: event.TaskOutput, Node: node, Step: "boot", Text: text})
}

// pause waits, or returns ctx's error when it ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isLibvirt reports whether the machines are libvirt's.
func (p *Provider) isLibvirt() bool { return p.o.Provider == lab.ProviderLibvirt }
