// Package plan turns a Lab into what has to be done: machines and a graph of tasks. It is pure: no I/O, no
// clock, sorted output, so that equal labs give equal plans.
package plan

import (
	"time"

	"podium/provision/lab"
	"podium/provision/step"
)

// TaskID names a task: "w1/kubeadm-join". The boot of a machine is a task too: "w1/boot".
type TaskID string

// StepBoot is the step name of the task that creates or starts a machine.
const StepBoot = "boot"

// Plan is a lab ready to be carried out. Machines stand in the order of lab.yaml; Tasks in an order in which they
// could be run one after the other.
type Plan struct {
	Lab      lab.Lab
	Machines []lab.Machine
	Tasks    []Task
	Whole    []lab.Machine // all machines of the lab, when Machines is a part of them; otherwise nil
}

// Task is one step on one node.
type Task struct {
	ID    TaskID
	Node  string
	Step  string
	About string   // one line for people
	After []TaskID // exact tasks, not phases; sorted

	Script   Script            // empty for boot
	Vars     map[string]string // PODIUM_* environment of the script
	Files    []step.File       // put on the node before the script runs
	Inputs   []Input           // facts fetched from other nodes just before the script runs
	Probe    Script            // run after the script until it exits 0; empty: none
	Hint     string            // where to look when script or probe fails
	Services []string          // systemd units this step answers for; status asks for their health
	Timeout  time.Duration     // of script and probe together

	// NotRehearsed tasks are left out, because the machines are simulated and the simulator cannot run the step.
	NotRehearsed bool

	// Version, when set, decides instead of Digest whether the task is done.
	Version *step.Version

	Digest Digest
}

// Script is a bash script. Name is its path in the house or the lab's folder, for people.
type Script struct {
	Name string
	Text string // LF line ends
}

// Input is a script that another node runs immediately before the task; the facts it reports are set as variables of
// the task's script and count as secrets: they stand in no log and in no digest.
type Input struct {
	Node   string
	Script Script
	Vars   map[string]string
}

// Digest covers all that decides what a task does; three parts, so that a difference can be named.
// Inputs are covered by their scripts, in Script.
type Digest struct {
	Script string `json:"script"`
	Vars   string `json:"vars"`
	Files  string `json:"files"`
}

// Conditional reports whether the task only runs on a node that has another version than the description wants.
func (t Task) Conditional() bool { return t.Version != nil }

// Steps counts the tasks beside the boots of machines: what people are told of as steps.
func (p Plan) Steps() int {
	n := 0
	for _, t := range p.Tasks {
		if t.Step != StepBoot {
			n++
		}
	}
	return n
}
