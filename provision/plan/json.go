package plan

import (
	"fmt"
	"time"

	"podium/provision/lab"
)

// Document is the plan as JSON. Scripts stand in it by name and digest, not text.
type Document struct {
	Lab      string         `json:"lab"`
	Provider string         `json:"provider"`
	Network  string         `json:"network"`
	Machines []lab.Machine  `json:"machines"`
	Tasks    []documentTask `json:"tasks"`
}

type documentTask struct {
	ID           TaskID            `json:"id"`
	Node         string            `json:"node"`
	Step         string            `json:"step"`
	About        string            `json:"about"`
	After        []TaskID          `json:"after"`
	Reason       *string           `json:"reason,omitempty"` // with reasons only; empty: done already
	Script       string            `json:"script,omitempty"`
	Probe        string            `json:"probe,omitempty"`
	Vars         map[string]string `json:"vars,omitempty"`
	Files        []documentFile    `json:"files,omitempty"`
	Inputs       []documentInput   `json:"inputs,omitempty"`
	Services     []string          `json:"services,omitempty"`
	Timeout      float64           `json:"timeout_seconds"`
	NotRehearsed bool              `json:"not_rehearsed,omitempty"` // the simulator leaves it out
	Version      string            `json:"version,omitempty"`       // the step is done when the node reports this version
	Digest       *Digest           `json:"digest,omitempty"`        // boot has none
}

type documentFile struct {
	Path string `json:"path"`
	Mode string `json:"mode"` // octal
}

type documentInput struct {
	Node   string `json:"node"`
	Script string `json:"script"`
}

// Document is the plan for programs. With reasons (nil: none), each task has a reason, which is empty when the task is done
// already.
func (p Plan) Document(reasons map[TaskID]string) Document {
	d := Document{Lab: p.Lab.Name, Provider: p.Lab.Provider, Network: p.Lab.Network, Machines: p.Machines}
	for _, t := range p.Tasks {
		d.Tasks = append(d.Tasks, jsonTask(t, reasons))
	}
	return d
}

func jsonTask(t Task, reasons map[TaskID]string) documentTask {
	d := documentTask{
		ID: t.ID, Node: t.Node, Step: t.Step, About: t.About, After: append([]TaskID{}, t.After...), Script: t.Script.Name,
		Probe: t.Probe.Name, Vars: t.Vars, Services: t.Services, Timeout: t.Timeout.Round(time.Millisecond).Seconds(),
		NotRehearsed: t.NotRehearsed,
	}
	if reasons != nil {
		reason := reasons[t.ID]
		d.Reason = &reason
	}
	for _, f := range t.Files {
		d.Files = append(d.Files, documentFile{Path: f.Path, Mode: fmt.Sprintf("%04o", f.Mode)})
	}
	for _, i := range t.Inputs {
		d.Inputs = append(d.Inputs, documentInput{Node: i.Node, Script: i.Script.Name})
	}
	if t.Version != nil {
		d.Version = t.Version.Want
	}
	if t.Step != StepBoot {
		digest := t.Digest
		d.Digest = &digest
	}
	return d
}
