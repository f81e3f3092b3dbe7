// Package machine makes and keeps the machines of a lab. Provider is what the engine needs of VirtualBox, Incus, the
// simulator or machines that exist already; each has a sub-package.
package machine

import (
	"context"
	"errors"

	"podium/provision/lab"
	"podium/provision/remote"
)

// State is how a machine is.
type State string

// The states a machine can be in.
const (
	Missing State = "missing" // never made, or destroyed
	Running State = "running"
	Stopped State = "stopped"
	Crashed State = "crashed" // it does nothing any more, and its hypervisor keeps it for a look: it has to be switched off first
	Unknown State = "unknown" // the provider cannot tell, or it is on its way from one state to another
)

// Errors that callers tell apart by errors.Is.
var (
	ErrNotApplicable = errors.New("does not apply to this provider") // such as halt on machines that podium did not make
	ErrNotFound      = errors.New("no such machine")
	ErrNoSnapshot    = errors.New("no such snapshot")
	// ErrPreflight is in the chain when this computer lacks something that the provider needs (a program, a right,
	// memory), found before anything was changed. podium's exit code is 3 then.
	ErrPreflight = errors.New("this computer is not ready for the lab")
)

// Lack is something that this computer does not have and a provider needs; to errors.Is it is ErrPreflight.
type Lack string

// Error names it.
func (l Lack) Error() string { return string(l) }

// Is reports whether target is ErrPreflight.
func (l Lack) Is(target error) bool { return target == ErrPreflight }

// Spec is what a provider has to make.
type Spec struct {
	Lab       lab.Lab
	Machines  []lab.Machine
	PublicKey string // authorized_keys line of the lab's own key
}

// Provider makes and keeps machines, one at a time, so that the engine decides what runs side by side. Methods may be
// called side by side for different machines, after Prepare. Progress goes to the logger and events the provider was
// built with; every method honours ctx.
//
// Halt, Destroy, Status, Snapshot, Restore, DeleteSnapshot and Cleanup work without Prepare, from what the lab's
// directory or the provider itself remembers, so that a lab whose lab.yaml is broken or gone can still be ended.
type Provider interface {
	// Prepare makes what the machines share: Vagrantfile, network, image, simulator process. It can be called again.
	Prepare(ctx context.Context, s Spec) error
	// Up creates or starts the machine and says how to reach it. It returns at once if the machine runs already.
	// sshd may need longer than Up to answer. A machine that was made before starts without Prepare, too: that is how
	// a lab comes back from a snapshot.
	Up(ctx context.Context, name string) (remote.Endpoint, error)
	// Halt stops the machine in an orderly way; nil if it is stopped or missing.
	Halt(ctx context.Context, name string) error
	// Destroy removes the machine with its disks and snapshots; nil if it is missing.
	Destroy(ctx context.Context, name string) error
	// Cleanup removes what Prepare made, once no machine is left.
	Cleanup(ctx context.Context) error
	// Status tells the state of every machine of the lab that exists, in one call. A machine not in the map is missing.
	Status(ctx context.Context) (map[string]State, error)
	// Snapshot keeps a stopped machine's disks under tag. Restore brings them back, leaving the machine stopped;
	// ErrNoSnapshot if there is none. DeleteSnapshot returns nil if there is none.
	Snapshot(ctx context.Context, name, tag string) error
	Restore(ctx context.Context, name, tag string) error
	DeleteSnapshot(ctx context.Context, name, tag string) error
}

// Limited is a Provider that cannot make any number of machines at once, such as VirtualBox, whose machines start one
// after the other. The engine then leaves room for other work while machines boot.
type Limited interface {
	Provider
	// UpLimit is how many calls of Up make sense at the same time; 0: any number.
	UpLimit() int
}

// PowerSwitch is a Provider that can switch machines off. Where what is on a machine is thrown away, such as before a
// snapshot is restored, the engine does that: an orderly halt of a node with many services takes a long time.
type PowerSwitch interface {
	Provider
	// PowerOff stops the machine at once; nil if it is stopped or missing.
	PowerOff(ctx context.Context, name string) error
}

// Renderer is a Provider that describes the machines in a file which works without podium: a Vagrantfile.
type Renderer interface {
	Provider
	// Render gives the text and changes nothing.
	Render(s Spec) (string, error)
	// WriteVagrantfile writes it, as Prepare does, and gives its path.
	WriteVagrantfile(s Spec) (string, error)
}

// OrphanRemover is a Provider that finds machines by the names of the lab's nodes although nothing in the lab's folder
// knows them: they stay behind when the folder is deleted while they exist.
type OrphanRemover interface {
	Provider
	// Orphans lists them by name, with their ids.
	Orphans(ctx context.Context, nodes []string) (map[string]string, error)
	// RemoveOrphans removes machines that Orphans has listed.
	RemoveOrphans(ctx context.Context, orphans map[string]string) error
}

// Inventory is a Provider that knows what the lab holds of this computer already, so that a check of the computer does
// not take it for somebody else's.
type Inventory interface {
	Provider
	// Known gives the SSH ports that are pinned and the ids of the machines that exist, by node.
	Known() (ports map[string]int, ids map[string]string, err error)
}

// Setting is something that lab.yaml says of a machine and that can change after the machine was made.
type Setting string

// The settings that are compared with what machines were made with.
const (
	CPUs    Setting = "cpus"
	Memory  Setting = "memory"
	Image   Setting = "box" // with Incus, incus.image
	User    Setting = "user"
	Network Setting = "network"
)

// Effect says when a machine that exists takes a changed setting.
type Effect int

// The effects that a changed setting can have.
const (
	WhenMade    Effect = iota // only a machine that is made in its place has it
	WhenStarted               // the machine takes it when Up starts it
	AtOnce                    // Up applies it to the machine while it runs
)

// String is the effect as documents for programs have it.
func (e Effect) String() string {
	switch e {
	case AtOnce:
		return "at-once"
	case WhenStarted:
		return "when-started"
	}
	return "when-made"
}

// Adjustable is a Provider that can change machines which exist. With others a changed setting is for new machines.
type Adjustable interface {
	Provider
	// Takes says when a machine takes a changed setting.
	Takes(l lab.Lab, s Setting) Effect
}
