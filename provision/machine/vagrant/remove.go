package vagrant

import (
	"context"
	"errors"
	"fmt"

	"podium/provision/folder"
)

// Destroy removes the machine with its disks and snapshots. Vagrant does it, so that its own lists stay right; where
// Vagrant cannot, the hypervisor does.
func (p *Provider) Destroy(ctx context.Context, name string) error {
	err := p.withMachine(ctx, name, func(f *found, id string, vm vm) error {
		if vm.on() {
			if err := switchOff(ctx, f.hypervisor, id); err != nil {
				return err
			}
		}
		err := f.needVagrant()
		if err == nil {
			_, err = f.vagrant.run(ctx, p.bootDeadline(), "destroy", name, "--force")
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		p.o.Log.Warn("removing the machine without Vagrant", "node", name, "reason", err)
		return f.hypervisor.remove(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("%s: destroy: %w", name, err)
	}
	if err := p.files().RemoveAll(p.dataName(name)); err != nil {
		return fmt.Errorf("%s: remove what Vagrant kept of it: %w", name, err)
	}
	err = p.remember(func(nodes map[string]nodeState) {
		if n, ok := nodes[name]; ok {
			nodes[name] = nodeState{Address: n.Address, Port: n.Port}
		}
	})
	if folder.IsFull(err) {
		return nil // the id of a machine that is gone does no harm
	}
	return err
}

// Orphans lists machines that bear the name of one of the lab's nodes although Vagrant does not know them in this
// folder, by name with their ids.
func (p *Provider) Orphans(ctx context.Context, nodes []string) (map[string]string, error) {
	f, err := p.tools(ctx)
	if err != nil {
		return nil, err
	}
	vms, err := f.hypervisor.machines(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := p.ids()
	if err != nil {
		return nil, err
	}
	orphans := map[string]string{}
	for _, node := range nodes {
		for id, vm := range vms {
			if vm.name == p.o.Lab+"-"+node && ids[node] != id {
				orphans[vm.name] = id
			}
		}
	}
	return orphans, nil
}

// RemoveOrphans removes machines that Orphans has listed.
func (p *Provider) RemoveOrphans(ctx context.Context, orphans map[string]string) error {
	f, err := p.tools(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for name, id := range orphans {
		if err := removeOrphan(ctx, f.hypervisor, id); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(problems...)
}

func removeOrphan(ctx context.Context, h hypervisor, id string) error {
	vms, err := settled(ctx, h, id)
	if err != nil {
		return err
	}
	if vms[id].on() {
		if err := switchOff(ctx, h, id); err != nil {
			return err
		}
	}
	return h.remove(ctx, id)
}

// ErrOrphan is a machine that has the name of one of the lab's but that Vagrant does not know in this folder: left from
// a lab whose .vagrant is gone, or another lab's of the same name.
var ErrOrphan = errors.New("a machine of that name exists already, and it is not this lab's")

func (p *Provider) refuseOrphan(vmName string, vms map[string]vm) error {
	for id, vm := range vms {
		if vm.name == vmName {
			return fmt.Errorf("%q (id %s): %w: if nobody needs it, remove it by `podium destroy --orphans`; else give this lab another name",
				vmName, id, ErrOrphan)
		}
	}
	return nil
}
