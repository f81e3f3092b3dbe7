// Package state is the lab's directory .podium: lock, atomic state, logs per node and step, journal of events, keys.
// Of the rest of podium it knows only how a node is reached (remote.Endpoint).
//
//	.podium/state.json           what is known of the machines; a cache: the machines themselves are asked first
//	.podium/state.json.old       the same before the last change of the lab began
//	.podium/origin.json          where .podium was made, and by whom
//	.podium/reserve              space for one more state on a full disk
//	.podium/applied.yaml         the description that the last up carried out, defaults filled in
//	.podium/lock{,.json}         held by the podium that changes the lab; the note says who that is
//	.podium/journal.ndjson{,.1}  every event but the output of steps, appended
//	.podium/logs/NODE/STEP.log   output of the last run of a step
//	.podium/id_ed25519{,.pub}    the lab's own key
//	.podium/known_hosts          host keys pinned at first contact
//	.podium/PROVIDER/            the provider's own files (Vagrantfile, simulator process)
package state

import (
	"time"

	"podium/provision/remote"
)

// State is what podium remembers of a lab between commands.
type State struct {
	Version   int                          `json:"version"`
	Lab       string                       `json:"lab"`
	Provider  string                       `json:"provider"`
	Machines  map[string]Machine           `json:"machines"`
	Steps     map[string]map[string]Step   `json:"steps"`     // node, step
	Facts     map[string]map[string]string `json:"facts"`     // node, key; the file is 0600, secrets may be here
	Snapshots []Snapshot                   `json:"snapshots"` // oldest first
	// Failures is how steps failed on nodes, until they succeed: node, step.
	Failures map[string]map[string]Failure `json:"failures"`
	// Restoring is the tag of a snapshot that is being restored: some machines may be back at it and others not.
	Restoring string `json:"restoring,omitempty"`
}

// Machine is one machine that podium made or was given.
type Machine struct {
	Roles    []string         `json:"roles"`
	Address  string           `json:"address"` // in the lab's private network
	Place    int              `json:"place"`   // in the description, from 0
	Endpoint *remote.Endpoint `json:"endpoint,omitempty"`
	Services []string         `json:"services,omitempty"` // systemd units that status asks for
	Made     bool             `json:"made,omitempty"`     // podium has asked the provider for it: there may be something to destroy
	Removed  bool             `json:"removed,omitempty"`  // the last up's description had it no more
	// Unchecked is set before a machine is started again, and cleared when the checks of its steps hold since.
	Unchecked bool `json:"unchecked,omitempty"`
	// MadeWith is what the machine was made with; nil: not known.
	MadeWith *Settings `json:"made_with,omitempty"`
	// NotRehearsed is the steps that the last up left out, because the machine is simulated.
	NotRehearsed []string `json:"not_rehearsed,omitempty"`
	// Plan is the digest of each step that the last up had for the machine.
	Plan map[string]string `json:"plan,omitempty"`
}

// Settings are what lab.yaml says of a machine and what cannot be changed on one that exists, or not at once.
type Settings struct {
	CPUs    string `json:"cpus,omitempty"`
	Memory  string `json:"memory,omitempty"`
	Box     string `json:"box,omitempty"`
	User    string `json:"user,omitempty"`
	Network string `json:"network,omitempty"`
}

// Failure is a step that failed on a node.
type Failure struct {
	At    time.Time `json:"at"`
	Error string    `json:"error"`
	Last  []string  `json:"last,omitempty"` // the last lines of its output, without secrets
	Hint  string    `json:"hint,omitempty"`
	Log   string    `json:"log,omitempty"` // path
}

// Step is a step done on a node, as far as podium saw it.
type Step struct {
	Done     time.Time     `json:"done"`
	Duration time.Duration `json:"duration_ns"`
	Digest   string        `json:"digest"` // of script, variables and files, with colons between
}

// Snapshot is a whole lab kept under one tag.
type Snapshot struct {
	Tag   string    `json:"tag"`
	Taken time.Time `json:"taken"`
	Nodes []string  `json:"nodes"`
	Auto  bool      `json:"auto,omitempty"` // taken by up after its first success; what reset goes back to
	// Incomplete is set while the snapshot is taken or deleted, and stays if that was cut off, or when a machine of it was
	// made again: it cannot be restored.
	Incomplete bool `json:"incomplete,omitempty"`
}
