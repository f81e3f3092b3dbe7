package vagrant

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"podium/provision/machine"
)

// vbox talks to VirtualBox through VBoxManage. Its words were taken from VirtualBox 7.0 and 7.2.
type vbox struct {
	program  program
	deadline time.Duration // of a call that copies no disks
}

// diskDeadline bounds calls that may copy or merge disks.
const diskDeadline = 30 * time.Minute

// vmLine is a line of `VBoxManage list vms`: "name" {id}.
var vmLine = regexp.MustCompile(`^"(.*)" \{([0-9a-f-]{36})\}$`)

// machines asks twice: for all, and for those that run.
func (v vbox) machines(ctx context.Context) (map[string]vm, error) {
	type answer struct {
		text string
		err  error
	}
	runs := make(chan answer, 1)
	go func() {
		text, err := v.call(ctx, v.deadline, "list", "runningvms")
		runs <- answer{text, err}
	}()
	all, err := v.call(ctx, v.deadline, "list", "vms")
	running := <-runs
	if err := errors.Join(err, running.err); err != nil {
		return nil, err
	}
	vms := map[string]vm{}
	for id, name := range parseVMs(all) {
		vms[id] = vm{name: name, state: machine.Stopped}
	}
	for id, name := range parseVMs(running.text) {
		vms[id] = vm{name: name, state: machine.Running}
	}
	return vms, nil
}

// parseVMs reads the answer of `list vms` into names by id.
func parseVMs(text string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(text) {
		if m := vmLine.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil {
			names[m[2]] = m[1]
		}
	}
	return names
}

// info reads showvminfo's key="value" lines. Keys that come more than once keep the first value.
func (v vbox) info(ctx context.Context, id string) (map[string]string, error) {
	text, err := v.call(ctx, v.deadline, "showvminfo", id, "--machinereadable")
	if err != nil {
		return nil, err
	}
	return parseInfo(text), nil
}

func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if !ok {
			continue
		}
		key, value = strings.Trim(key, `"`), strings.Trim(value, `"`)
		if _, seen := info[key]; !seen {
			info[key] = value
		}
	}
	return info
}

func (v vbox) start(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "startvm", id, "--type", "headless")
	return err
}

// wake resumes a paused machine; one that has crashed (VirtualBox: guru meditation) is switched off and started.
func (v vbox) wake(ctx context.Context, id string) error {
	info, err := v.info(ctx, id)
	if err != nil {
		return err
	}
	switch info["VMState"] {
	case "paused":
		_, err = v.call(ctx, v.deadline, "controlvm", id, "resume")
	case "gurumeditation", "stuck":
		if err = v.powerOff(ctx, id); err == nil {
			err = waitStopped(ctx, v, id)
		}
		if err == nil {
			err = v.start(ctx, id)
		}
	}
	return err
}

func (v vbox) askToStop(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "controlvm", id, "acpipowerbutton")
	return err
}

func (v vbox) powerOff(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "controlvm", id, "poweroff")
	if err != nil && strings.Contains(err.Error(), "is not currently running") {
		return nil
	}
	return err
}

func (v vbox) snapshots(ctx context.Context, id string) ([]snapshot, error) {
	text, err := v.call(ctx, v.deadline, "snapshot", id, "list", "--machinereadable")
	var failed *CommandError
	if errors.As(err, &failed) && strings.Contains(failed.Message, "does not have any snapshots") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseSnapshots(text), nil
}

// snapshotLine is SnapshotName="a", SnapshotName-1="b" for its first child, SnapshotName-1-2="c", ..., and the same
// with SnapshotUUID. What begins with Current repeats one of them.
var snapshotLine = regexp.MustCompile(`^Snapshot(Name|UUID)((?:-\d+)*)="(.*)"$`)

func parseSnapshots(text string) []snapshot {
	var all []snapshot
	place := map[string]int{}
	for line := range strings.Lines(text) {
		m := snapshotLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		i, ok := place[m[2]]
		if !ok {
			i = len(all)
			place[m[2]] = i
			all = append(all, snapshot{})
		}
		if m[1] == "Name" {
			all[i].tag = m[3]
		} else {
			all[i].id = m[3]
		}
	}
	return all
}

func (v vbox) takeSnapshot(ctx context.Context, id, tag string, _ bool) error {
	_, err := v.call(ctx, diskDeadline, "snapshot", id, "take", tag)
	return err
}

func (v vbox) restoreSnapshot(ctx context.Context, id, snapshotID string) error {
	_, err := v.call(ctx, diskDeadline, "snapshot", id, "restore", snapshotID)
	return err
}

func (v vbox) deleteSnapshot(ctx context.Context, id, snapshotID string) error {
	_, err := v.call(ctx, diskDeadline, "snapshot", id, "delete", snapshotID)
	return err
}

func (v vbox) remove(ctx context.Context, id string) error {
	_, err := v.call(ctx, diskDeadline, "unregistervm", id, "--delete")
	if err != nil && strings.Contains(err.Error(), notFound) {
		return nil
	}
	return err
}

// notFound is VirtualBox's code for a machine, snapshot or medium that it does not know.
const notFound = "VBOX_E_OBJECT_NOT_FOUND"

// busy are the words of VirtualBox while another process holds the machine for a moment: it is worth asking again.
var busy = []string{
	"The object is not ready",
	"The object functionality is limited",
	"already has a lock request pending",
	"is already locked by a session",
	"is already locked for a session",
	"The session is not locked",
	"Failed to acquire the VirtualBox COM object", // VBoxSVC is just ending or starting
}

// busyTries bounds how often a busy machine is asked again: about 12 seconds in all.
const busyTries = 8

// call runs VBoxManage and gives its standard output, asking again while the machine is busy.
func (v vbox) call(ctx context.Context, deadline time.Duration, args ...string) (string, error) {
	wait := 100 * time.Millisecond
	for try := 1; ; try++ {
		out, err := v.program.run(ctx, deadline, args...)
		if err == nil || try == busyTries || !isBusy(out.stderr) {
			return out.stdout, err
		}
		if waitErr := pause(ctx, wait); waitErr != nil {
			return out.stdout, fmt.Errorf("%w (%w)", err, waitErr)
		}
		wait = min(2*wait, 3*time.Second)
	}
}

func isBusy(stderr string) bool {
	for _, words := range busy {
		if strings.Contains(stderr, words) {
			return true
		}
	}
	return false
}
