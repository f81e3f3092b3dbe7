package vagrant

import (
	"context"

	"podium/provision/machine"
)

// hypervisor is what podium asks of VirtualBox or libvirt without Vagrant. Machines are named by the id that Vagrant
// keeps of them.
type hypervisor interface {
	// machines lists every machine of this user's, by id.
	machines(ctx context.Context) (map[string]vm, error)
	// start boots a stopped machine or wakes one that sleeps; wake brings a paused one back to work.
	start(ctx context.Context, id string) error
	wake(ctx context.Context, id string) error
	// askToStop presses the power button; powerOff pulls the plug. Neither waits.
	askToStop(ctx context.Context, id string) error
	powerOff(ctx context.Context, id string) error
	snapshots(ctx context.Context, id string) ([]snapshot, error)
	// takeSnapshot keeps the disks under tag. replace says that there is a snapshot of that tag already.
	takeSnapshot(ctx context.Context, id, tag string, replace bool) error
	restoreSnapshot(ctx context.Context, id, snapshotID string) error
	deleteSnapshot(ctx context.Context, id, snapshotID string) error
	// remove deletes a stopped machine with its disks.
	remove(ctx context.Context, id string) error
}

// vm is a machine as the hypervisor lists it.
type vm struct {
	name  string
	state machine.State
}

// snapshot is one snapshot of a machine.
type snapshot struct {
	id  string
	tag string
}

func hasTag(all []snapshot, tag string) bool {
	for _, s := range all {
		if s.tag == tag {
			return true
		}
	}
	return false
}
