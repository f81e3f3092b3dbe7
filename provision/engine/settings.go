package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/state"
)

// Difference is a setting that lab.yaml has and machines that exist were not made with.
type Difference struct {
	Setting    machine.Setting
	Nodes      []string // in the order of the plan
	Has, Wants string
	Effect     machine.Effect
	Stopped    bool // the machines are: the next start takes what WhenStarted says
}

// Now reports whether the next up applies the setting.
func (d Difference) Now() bool {
	return d.Effect == machine.AtOnce || d.Effect == machine.WhenStarted && d.Stopped
}

// String says what differs, and when it takes effect.
func (d Difference) String() string {
	how := "only new machines get it: podium destroy, then podium up"
	switch {
	case d.Now():
		how = "up applies it"
	case d.Effect == machine.WhenStarted:
		how = "halt them, then podium up applies it"
	}
	return fmt.Sprintf("%s: %s in lab.yaml, %s made with %s: %s", d.Setting, d.Wants, strings.Join(d.Nodes, ", "), d.Has, how)
}

// MarshalJSON is the difference for programs.
func (d Difference) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Setting machine.Setting `json:"setting"`
		Nodes   []string        `json:"nodes"`
		Has     string          `json:"has"`
		Wants   string          `json:"wants"`
		Effect  string          `json:"effect"`     // at-once, when-started, when-made
		Now     bool            `json:"up_applies"` // the next up applies it
	}{d.Setting, d.Nodes, d.Has, d.Wants, d.Effect.String(), d.Now()})
}

// DifferencesOf is Differences for nodes whose Status is known.
func (e *Engine) DifferencesOf(nodes []NodeStatus) ([]Difference, error) {
	s, err := e.Dir.Load()
	if err != nil {
		return nil, err
	}
	there := map[string]machine.State{}
	for _, n := range nodes {
		there[n.Name] = n.Machine
	}
	return e.differences(s, e.Plan.Machines, there), nil
}

// Differences lists the settings of the description that the lab's machines were not made with, and what comes of that.
func (e *Engine) Differences(ctx context.Context) ([]Difference, error) {
	s, err := e.Dir.Load()
	if err != nil {
		return nil, err
	}
	there, err := e.Provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask which machines there are: %w", err)
	}
	return e.differences(s, e.Plan.Machines, there), nil
}

// allSettings is every setting that is compared, in the order in which differences are told.
var allSettings = []machine.Setting{machine.Image, machine.User, machine.Network, machine.CPUs, machine.Memory}

func (e *Engine) differences(s state.State, machines []lab.Machine, there map[string]machine.State) []Difference {
	var found []Difference
	for _, setting := range allSettings {
		places := map[string]int{} // in found, by what is the same of several machines
		for _, m := range machines {
			made := s.Machines[m.Name].MadeWith
			is := there[m.Name]
			if made == nil || is == "" || is == machine.Missing {
				continue // not made yet, or by a podium that did not note it
			}
			wanted := settingsOf(e.Plan.Lab, m)
			has, wants := *settingIn(made, setting), *settingIn(&wanted, setting)
			if has == wants {
				continue
			}
			stopped := is != machine.Running
			key := fmt.Sprint(has, wants, stopped)
			i, ok := places[key]
			if !ok {
				i = len(found)
				places[key] = i
				found = append(found, Difference{Setting: setting, Has: has, Wants: wants, Effect: e.takes(setting), Stopped: stopped})
			}
			found[i].Nodes = append(found[i].Nodes, m.Name)
		}
	}
	return found
}

func (e *Engine) takes(s machine.Setting) machine.Effect {
	if p, ok := e.Provider.(machine.Adjustable); ok {
		return p.Takes(e.Plan.Lab, s)
	}
	return machine.WhenMade
}

// settingsOf is what a machine is made with. A provider that does not make machines by a setting leaves it empty.
func settingsOf(l lab.Lab, m lab.Machine) state.Settings {
	s := state.Settings{CPUs: strconv.Itoa(m.CPUs), Memory: m.Memory.String(), User: l.User, Network: l.Network}
	switch l.Provider {
	case lab.ProviderStatic:
		return state.Settings{}
	case lab.ProviderSim:
	case lab.ProviderIncus:
		if l.Incus != nil {
			s.Box = l.Incus.Image
		}
	default:
		s.Box = l.Box
	}
	return s
}

func settingIn(s *state.Settings, which machine.Setting) *string {
	switch which {
	case machine.CPUs:
		return &s.CPUs
	case machine.Memory:
		return &s.Memory
	case machine.Image:
		return &s.Box
	case machine.User:
		return &s.User
	}
	return &s.Network
}

// recordSettings stores what a machine that is up now took of the settings that have changed.
func (r *upRun) recordSettings(node string) {
	for _, m := range r.Plan.Machines {
		if m.Name != node {
			continue
		}
		wanted := settingsOf(r.Plan.Lab, m)
		r.record.Update(func(s *state.State) {
			of := s.Machines[node]
			if of.MadeWith == nil {
				return // made by a podium that did not note it
			}
			now := *of.MadeWith
			for _, setting := range allSettings {
				if d := (Difference{Effect: r.takes(setting), Stopped: r.restarted(node)}); d.Now() {
					*settingIn(&now, setting) = *settingIn(&wanted, setting)
				}
			}
			of.MadeWith = &now
			s.Machines[node] = of
		})
	}
}
