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
	// start boots a stopped machine, or brings one whose memory was saved back to work; resume does so with a paused one.
	start(ctx context.Context, id string) error
	resume(ctx context.Context, id string) error
	// askToStop presses the power button; powerOff pulls the plug. Neither waits.
	askToStop(ctx context.Context, id string) error
	powerOff(ctx context.Context, id string) error
	// unlocked waits until the hypervisor has let go of a machine that has stopped.
	unlocked(ctx context.Context, id string) error
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
	name      string
	state     machine.State
	passing   bool   // it leaves the state by itself: it starts, stops, saves
	condition string // the hypervisor's word for the state, where it says more; else empty
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
