package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/report"
	"podium/provision/state"
)

const statusLong = `Show how the lab is: for each node its machine, whether SSH answers, the steps done and its
services; and the web pages that its steps reported. All nodes are asked at once. --secrets also
shows the passwords that steps reported; they are kept in .podium/state.json, which only you can
read.`

func (a *app) statusCommand() *cobra.Command {
	f := struct {
		output  outputFlag
		on      selection
		secrets bool
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:               "status [LAB]",
		Short:             "Show how the lab is",
		Long:              statusLong,
		Example:           "  podium status\n  podium status labs/cicd --secrets\n  podium status -o json",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			where, err := a.labOf(c, given)
			if err != nil {
				return err
			}
			return a.status(c.Context(), where, f.output, f.on, f.secrets)
		},
	}
	a.addOutput(c, &f.output)
	a.addSelection(c, &f.on)
	c.Flags().BoolVar(&f.secrets, "secrets", false, "show passwords too")
	return c
}

func (a *app) status(ctx context.Context, where labRef, o outputFlag, on selection, secrets bool) error {
	b, err := a.remembered(where)
	if err != nil {
		return err
	}
	if len(b.known.Machines) == 0 {
		return a.statusOfNothing(ctx, b, o)
	}
	if err := a.equip(b, noWait); err != nil {
		return err
	}
	chosen, err := b.selectNodes(on)
	if err != nil {
		return err
	}
	nodes, err := b.engine.Status(ctx)
	if err != nil {
		return err
	}
	var differences []engine.Difference
	if b.wanted != nil {
		b.engine.Plan = *b.wanted
		if differences, err = b.engine.DifferencesOf(nodes); err != nil {
			return err
		}
	}
	if on.given() {
		nodes = slices.DeleteFunc(nodes, func(n engine.NodeStatus) bool { return !slices.Contains(chosen, n.Name) })
	}
	r := statusReport{nodes: nodes, facts: b.facts(secrets), secrets: secrets, last: lastUp(b.state), holder: b.state.Holder(), differences: differences}
	if o.json() {
		return a.printJSON(statusDocument(b, r))
	}
	a.printStatus(b, r)
	return nil
}

// statusReport is what status shows.
type statusReport struct {
	nodes   []engine.NodeStatus
	facts   map[string]map[string]string
	secrets bool
	last    unfinishedUp
	holder  *state.Holder // who changes the lab at this moment; nil: nobody

	differences []engine.Difference // between lab.yaml and the machines
}

// statusOfNothing is the status of a lab that was never made or has been destroyed.
func (a *app) statusOfNothing(ctx context.Context, b *labSession, o outputFlag) error {
	p, err := a.describe(b.labRef, "")
	if err != nil {
		return err
	}
	l := p.Lab
	b.lab = l
	states := map[string]machine.State{}
	if l.Provider == lab.ProviderStatic { // its machines are there before the first up
		provider, err := a.provider(b)
		if err != nil {
			return err
		}
		if states, err = provider.Status(ctx); err != nil {
			return err
		}
	}
	var nodes []engine.NodeStatus
	for _, m := range lab.Machines(l) {
		is := cmp.Or(states[m.Name], machine.Missing)
		nodes = append(nodes, engine.NodeStatus{Name: m.Name, Roles: m.Roles, Address: m.Address.String(), Machine: is})
	}
	if o.json() {
		return a.printJSON(statusDocument(b, statusReport{nodes: nodes}))
	}
	a.printStatus(b, statusReport{nodes: nodes})
	fmt.Fprintf(a.stdout, "\nNothing has been done yet. Make the lab: podium up%s\n", b.arg)
	return nil
}

// facts are what steps reported, by node; secrets only on demand.
func (b *labSession) facts(secrets bool) map[string]map[string]string {
	all := map[string]map[string]string{}
	for node, facts := range b.known.Facts {
		shown := maps.Clone(facts)
		maps.DeleteFunc(shown, func(key, _ string) bool { return !secrets && isSecret(key) })
		if len(shown) > 0 {
			all[node] = shown
		}
	}
	return all
}

// isSecret reports whether a fact must not be shown unasked.
func isSecret(key string) bool { return strings.HasPrefix(key, "secret_") }

func (a *app) printStatus(b *labSession, r statusReport) {
	l := newLook(a.screen)
	fmt.Fprintf(a.stdout, "%s, %s\n\n", l.bold(title(b.lab)), b.state.Lab())
	t := report.Table{
		Head:  []string{"NODE", "MACHINE", "SSH", "STEPS", "SERVICES", "ADDRESS", "ROLES"},
		Width: a.screen.width, Spare: []string{"ROLES", "ADDRESS"},
	}
	for _, n := range r.nodes {
		t.Row(n.Name, l.machine(n.Machine), l.ssh(n), steps(n), l.services(n), n.Address, strings.Join(n.Roles, ","))
	}
	t.Write(a.stdout)
	if notes := r.remarks(b, l); len(notes) > 0 {
		fmt.Fprintf(a.stdout, "\n%s\n", strings.Join(notes, "\n"))
	}
	a.printPlaces(b, r.nodes, r.facts, r.secrets)
}

func (l style) machine(s machine.State) string {
	switch s {
	case machine.Running:
		return l.green(string(s))
	case machine.Missing:
		return l.faint(string(s))
	}
	return l.yellow(string(s))
}

func (l style) ssh(n engine.NodeStatus) string {
	switch {
	case n.SSH:
		return l.green("ok")
	case n.Machine == machine.Running:
		return l.red("no")
	}
	return "-"
}

func steps(n engine.NodeStatus) string {
	if n.Total == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", n.Done, n.Total)
}

// services counts those that are active.
func (l style) services(n engine.NodeStatus) string {
	active, known := 0, 0
	for _, s := range n.Services {
		if s.Active != "" {
			known++
		}
		if s.Active == "active" {
			active++
		}
	}
	switch {
	case known == 0:
		return "-"
	case active == len(n.Services):
		return l.green(fmt.Sprintf("%d ok", active))
	}
	return l.red(fmt.Sprintf("%d of %d ok", active, len(n.Services)))
}

// printPlaces lists the web pages of the lab.
func (a *app) printPlaces(b *labSession, nodes []engine.NodeStatus, facts map[string]map[string]string, secrets bool) {
	t := report.Table{Indent: "  "}
	found := false
	for _, n := range nodes {
		if n.Machine != machine.Running { // nothing of it can be opened
			continue
		}
		for _, p := range report.Places(facts[n.Name]) {
			found = true
			about := "on " + n.Name
			if p.User != "" {
				about += ", user " + p.User
			}
			_, hidden := b.known.Facts[n.Name][p.SecretKey()]
			switch {
			case secrets && p.Password != "":
				about += ", password " + p.Password
			case hidden:
				about += ", password: podium status" + b.arg + " --secrets"
			}
			t.Row(p.Name, p.URL, about)
		}
	}
	if found {
		fmt.Fprintf(a.stdout, "\n%s\n", report.OpenHead(b.lab.Provider))
		t.Write(a.stdout)
	}
}

type (
	statusJSON struct {
		Lab      string        `json:"lab"`
		Provider string        `json:"provider"`
		Folder   string        `json:"folder"`
		AtWork   *state.Holder `json:"at_work,omitempty"`
		Nodes    []statusNode  `json:"nodes"`

		Differences []engine.Difference `json:"differences,omitempty"`
	}
	statusNode struct {
		Name     string            `json:"name"`
		Roles    []string          `json:"roles"`
		Address  string            `json:"address"`
		Machine  machine.State     `json:"machine"`
		SSH      bool              `json:"ssh"`
		SSHError string            `json:"ssh_error,omitempty"`
		Endpoint *report.SSH       `json:"endpoint,omitempty"`
		Done     int               `json:"steps_done"`
		Total    int               `json:"steps_total"`
		Services []statusService   `json:"services"`
		Removed  bool              `json:"removed,omitempty"`
		Left     []string          `json:"not_rehearsed,omitempty"` // steps that the simulator left out
		Failures []statusFailure   `json:"failures,omitempty"`
		Facts    map[string]string `json:"facts,omitempty"`
	}
	statusFailure struct {
		Step string `json:"step"`
		state.Failure
	}
	statusService struct {
		Unit   string `json:"unit"`
		Active string `json:"active"`
	}
)

func statusDocument(b *labSession, r statusReport) statusJSON {
	d := statusJSON{Lab: b.lab.Name, Provider: b.lab.Provider, Folder: b.state.Lab(), AtWork: r.holder, Nodes: []statusNode{}, Differences: r.differences}
	for _, n := range r.nodes {
		s := statusNode{
			Name: n.Name, Roles: slices.Clone(n.Roles), Address: n.Address, Machine: n.Machine, SSH: n.SSH, SSHError: n.SSHError,
			Done: n.Done, Total: n.Total, Services: []statusService{}, Removed: n.Removed, Left: n.NotRehearsed, Facts: r.facts[n.Name],
		}
		for _, f := range n.Failures {
			s.Failures = append(s.Failures, statusFailure{f.Step, f.Failure})
		}
		if n.Endpoint != nil {
			s.Endpoint = &report.SSH{Host: n.Endpoint.Host, Port: n.Endpoint.Port, User: n.Endpoint.User}
		}
		for _, unit := range n.Services {
			s.Services = append(s.Services, statusService(unit))
		}
		d.Nodes = append(d.Nodes, s)
	}
	return d
}
