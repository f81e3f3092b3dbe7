package vagrant

import (
	"context"
	"regexp"
	"strings"
	"time"

	"podium/provision/machine"
)

// virsh talks to libvirt through its command of that name.
type virsh struct {
	program  program
	deadline time.Duration
}

// libvirtURI is where vagrant-libvirt makes its machines.
const libvirtURI = "qemu:///system"

func (v virsh) call(ctx context.Context, deadline time.Duration, args ...string) (string, error) {
	out, err := v.program.run(ctx, deadline, append([]string{"--connect", libvirtURI, "--quiet"}, args...)...)
	return out.stdout, err
}

func (v virsh) machines(ctx context.Context) (map[string]vm, error) {
	all, err := v.call(ctx, v.deadline, "list", "--all", "--uuid", "--name")
	if err != nil {
		return nil, err
	}
	running, err := v.call(ctx, v.deadline, "list", "--state-running", "--uuid", "--name")
	if err != nil {
		return nil, err
	}
	vms := map[string]vm{}
	for id, name := range parseDomains(all) {
		vms[id] = vm{name: name, state: machine.Stopped}
	}
	for id, name := range parseDomains(running) {
		vms[id] = vm{name: name, state: machine.Running}
	}
	return vms, nil
}

// parseDomains reads lines of id and name.
func parseDomains(text string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(text) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			names[id] = strings.TrimSpace(name)
		}
	}
	return names
}

func (v virsh) start(ctx context.Context, id string) error {
	// A paused machine is listed as one that does not run.
	if state, err := v.call(ctx, v.deadline, "domstate", id); err == nil && strings.TrimSpace(state) == "paused" {
		_, err := v.call(ctx, v.deadline, "resume", id)
		return err
	}
	_, err := v.call(ctx, v.deadline, "start", id)
	return err
}

func (v virsh) resume(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "resume", id)
	return err
}

func (v virsh) unlocked(context.Context, string) error { return nil } // libvirt waits by itself

func (v virsh) askToStop(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "shutdown", id)
	return err
}

func (v virsh) powerOff(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "destroy", id)
	if err != nil && strings.Contains(err.Error(), "domain is not running") {
		return nil
	}
	return err
}

func (v virsh) snapshots(ctx context.Context, id string) ([]snapshot, error) {
	text, err := v.call(ctx, v.deadline, "snapshot-list", id, "--name")
	if err != nil {
		return nil, err
	}
	var all []snapshot
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" {
			all = append(all, snapshot{id: name, tag: name})
		}
	}
	return all, nil
}

// takeSnapshot first removes the one it replaces, since libvirt has each name once.
func (v virsh) takeSnapshot(ctx context.Context, id, tag string, replace bool) error {
	if replace {
		if err := v.deleteSnapshot(ctx, id, tag); err != nil {
			return err
		}
	}
	_, err := v.call(ctx, diskDeadline, "snapshot-create-as", id, "--name", tag, "--atomic")
	return err
}

func (v virsh) restoreSnapshot(ctx context.Context, id, snapshotID string) error {
	_, err := v.call(ctx, diskDeadline, "snapshot-revert", id, snapshotID)
	return err
}

func (v virsh) deleteSnapshot(ctx context.Context, id, snapshotID string) error {
	_, err := v.call(ctx, diskDeadline, "snapshot-delete", id, snapshotID)
	return err
}

func (v virsh) remove(ctx context.Context, id string) error {
	_, err := v.call(ctx, diskDeadline, "undefine", id, "--remove-all-storage", "--snapshots-metadata", "--nvram")
	return err
}

// removeNetwork stops and forgets a network, unless a machine is on it. One that is not there is no error.
func (v virsh) removeNetwork(ctx context.Context, name string) error {
	text, err := v.call(ctx, v.deadline, "net-dumpxml", name)
	if noNetwork(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if networkInUse.MatchString(text) {
		return nil
	}
	if _, err := v.call(ctx, v.deadline, "net-destroy", name); err != nil && !strings.Contains(err.Error(), "is not active") && !noNetwork(err) {
		return err
	}
	if _, err := v.call(ctx, v.deadline, "net-undefine", name); err != nil && !noNetwork(err) {
		return err
	}
	return nil
}

// networkInUse finds the number of cards on a network, which libvirt leaves out when there are none
// (https://libvirt.org/formatnetwork.html, connections).
var networkInUse = regexp.MustCompile(`<network\b[^>]*\bconnections=`)

// noNetwork tells libvirt's word for a network that does not exist (VIR_ERR_NO_NETWORK).
func noNetwork(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Network not found")
}
