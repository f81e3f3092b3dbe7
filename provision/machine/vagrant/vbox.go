package vagrant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// vbox talks to VirtualBox through VBoxManage. Its words were taken from VirtualBox 7.0 and 7.2.
type vbox struct {
	program  program
	deadline time.Duration // of a call that copies no disks
	patience time.Duration // with a machine that another process holds; 0: lockedFor
}

// diskDeadline bounds calls that may copy or merge disks.
const diskDeadline = 30 * time.Minute

func (v vbox) machines(ctx context.Context) (map[string]vm, error) {
	text, err := v.call(ctx, v.deadline, "list", "--long", "vms")
	if err != nil {
		return nil, err
	}
	return parseMachines(text), nil
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

func (v vbox) resume(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "controlvm", id, "resume")
	return err
}

func (v vbox) askToStop(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "controlvm", id, "acpipowerbutton")
	return err
}

func (v vbox) powerOff(ctx context.Context, id string) error {
	_, err := v.call(ctx, v.deadline, "controlvm", id, "poweroff")
	if says(err, meansAlreadyOff) {
		return nil
	}
	return err
}

// unlocked waits until the process of a machine that has stopped is gone. Until then it holds the machine, for about a
// second, and VirtualBox refuses to change, start or remove it. showvminfo wants to lock it, too, and asks again until
// it can.
func (v vbox) unlocked(ctx context.Context, id string) error {
	_, err := v.info(ctx, id)
	if says(err, meansNotFound) {
		return nil
	}
	return err
}

func (v vbox) snapshots(ctx context.Context, id string) ([]snapshot, error) {
	text, err := v.call(ctx, v.deadline, "snapshot", id, "list", "--machinereadable")
	if says(err, meansNoSnapshots) {
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
	if says(err, meansNotFound) {
		return nil
	}
	return err
}

// lockedFor bounds how long a machine that another process holds is asked for again: VirtualBox needs a second, its
// service 10 when it has just ended, and slow computers several times that.
const lockedFor = 40 * time.Second

// call runs VBoxManage and gives its standard output, asking again as long as the answer says that it is worth it.
func (v vbox) call(ctx context.Context, deadline time.Duration, args ...string) (string, error) {
	begin, patience, wait := time.Now(), cmp.Or(v.patience, lockedFor), 100*time.Millisecond
	for {
		out, err := v.program.run(ctx, deadline, args...)
		if err == nil || meaningOf(out.stderr) != meansAskAgain {
			return out.stdout, err
		}
		if waited := time.Since(begin); waited+wait > patience {
			return out.stdout, stillLocked(err, waited)
		}
		if waitErr := pause(ctx, wait); waitErr != nil {
			return out.stdout, fmt.Errorf("%w (%w)", err, waitErr)
		}
		wait = min(2*wait, 3*time.Second)
	}
}

// stillLocked says in a failure how long VirtualBox was asked.
func stillLocked(err error, waited time.Duration) error {
	var failed *CommandError
	if errors.As(err, &failed) {
		failed.Cause = fmt.Sprintf("another process of VirtualBox still holds the machine after %s", waited.Round(time.Second))
		failed.Fix = "close VirtualBox's windows and end other commands that work on the machine, then try again"
	}
	return err
}

// says reports whether err is an answer of VBoxManage with this meaning.
func says(err error, m meaning) bool {
	var failed *CommandError
	return errors.As(err, &failed) && failed.Err == nil && meaningOf(failed.Message) == m
}
