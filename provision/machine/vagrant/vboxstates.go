package vagrant

import (
	"regexp"
	"strings"

	"podium/provision/machine"
)

// longLine is a line of `VBoxManage list --long vms` that podium reads. A machine's block has each of them once, at the
// beginning of a line and in this order; "Name:" may come again further down, for its shared folders.
var longLine = regexp.MustCompile(`^(Name|UUID|State): +(.*)$`)

// parseMachines reads the answer of `list --long vms`: unlike `list runningvms` it has machines that have crashed, and
// those on their way from one state to another. A machine whose files VirtualBox cannot reach has no state there.
func parseMachines(text string) map[string]vm {
	vms := map[string]vm{}
	var name, id string
	for line := range strings.Lines(text) {
		found := longLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if found == nil {
			continue
		}
		switch value := found[2]; found[1] {
		case "Name":
			name, id = value, ""
		case "UUID":
			if name != "" {
				id = value
				vms[id] = vm{name: name, state: machine.Unknown}
			}
			name = ""
		case "State":
			if id != "" {
				known := vms[id]
				known.condition, _, _ = strings.Cut(value, " (since ")
				known.state, known.passing = stateOf(known.condition)
				vms[id] = known
			}
			id = ""
		}
	}
	return vms
}

// VirtualBox's words for conditions that podium treats specially.
const (
	conditionPaused = "paused"
	conditionSaved  = "saved"
)

// stateOf translates VirtualBox's words (machineStateToName in VBoxManageInfo.cpp). passing says that the machine leaves
// the state by itself.
func stateOf(condition string) (is machine.State, passing bool) {
	switch condition {
	case "running", conditionPaused, "teleporting", "live snapshotting", "online snapshotting", "deleting snapshot live", "deleting snapshot live paused":
		return machine.Running, false
	case "powered off", "aborted", "aborted-saved", conditionSaved, "teleported":
		return machine.Stopped, false
	case "guru meditation":
		return machine.Crashed, false
	}
	return machine.Unknown, true // starting, stopping, saving, restoring, restoring snapshot, deleting snapshot, ...
}
