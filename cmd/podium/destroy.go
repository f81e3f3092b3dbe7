package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/lab"
	"podium/provision/plan"
	"podium/provision/report"
	"podium/provision/state"
)

const destroyLong = `Remove the lab's machines with their disks and snapshots, and what podium made for them. lab.yaml
and the logs stay. It works when lab.yaml is broken or gone. On a terminal it says what it will
remove and asks; elsewhere it needs --yes.

When the folder .podium was lost, the provider incus still knows the lab's machines by its name in
lab.yaml; for virtualbox see --orphans.`

func (a *app) destroyCommand() *cobra.Command {
	f := struct {
		yes      bool
		on       selection
		orphans  bool
		provider string
	}{}
	c := &cobra.Command{
		Use:               "destroy [LAB]",
		Short:             "Remove the lab's machines",
		Long:              destroyLong,
		Example:           "  podium destroy\n  podium destroy labs/docker --yes\n  podium destroy --on w3",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			where, err := a.labOf(c, given)
			if err != nil {
				return err
			}
			if f.orphans {
				return a.destroyOrphans(c.Context(), where, f.on.spelledOut(), f.yes)
			}
			return a.destroy(c.Context(), where, f.provider, f.on, f.yes)
		},
	}
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	a.addSelection(c, &f.on)
	c.Flags().BoolVar(&f.orphans, "orphans", false, "remove instead machines that have this lab's names but are not known in its folder")
	c.Flags().StringVar(&f.provider, "provider", "", "when .podium was lost: `name` of what made the machines, in place of lab.yaml's")
	return c
}

func (a *app) destroy(ctx context.Context, where labRef, provider string, on selection, yes bool) error {
	lost := !where.state.Exists()
	var described plan.Plan
	if lost {
		var err error
		if described, err = a.describe(where, provider); err != nil || described.Lab.Provider != lab.ProviderIncus {
			fmt.Fprintln(a.stdout, "there is nothing to remove: this lab was never made")
			return nil
		}
	}
	unlock, err := a.lock(ctx, where, "destroy")
	if err != nil {
		return err
	}
	defer unlock()
	b, err := a.remembered(where)
	if err != nil {
		return err
	}
	if lost {
		b.lab = described.Lab
	}
	if len(b.known.Machines) == 0 && !b.wasApplied() && !lost {
		fmt.Fprintln(a.stdout, "there is nothing to remove: this lab has no machines")
		return nil
	}
	if err := a.equip(b, 0); err != nil {
		return err
	}
	if len(b.known.Machines) == 0 {
		if err := b.findMachines(ctx); err != nil {
			return err
		}
	}
	names, err := b.selectNodes(on)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		fmt.Fprintln(a.stdout, "there is nothing to remove: this lab has no machines")
		if lost {
			// It holds no more than the lock of this run, which Windows does not remove while it is held.
			unlock()
			return where.state.Remove()
		}
		return nil
	}
	if err := a.confirm(ctx, yes, "%s", b.whatGoes(names)); err != nil {
		return err
	}
	b.engine.Sink = report.Lines(a.stderr, false)
	var nodes []string // without names all goes, and what the machines share
	if on.given() {
		nodes = names
	}
	if err := b.engine.Destroy(ctx, nodes...); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "removed %s\n", listNames(names))
	return nil
}

// findMachines asks the provider for the machines of a lab whose state was lost.
func (b *labSession) findMachines(ctx context.Context) error {
	found, err := b.engine.Provider.Status(ctx)
	if err != nil {
		return err
	}
	for name := range found {
		b.known.Machines[name] = state.Machine{Made: true}
	}
	return nil
}

// whatGoes says what destroy will remove.
func (b *labSession) whatGoes(names []string) string {
	what := "machines"
	if len(names) == 1 {
		what = "machine"
	}
	s := fmt.Sprintf("destroy removes %d %s of %s (%s) for good: %s", len(names), what, b.lab.Name, b.lab.Provider, listNames(names))
	if b.lab.Provider == lab.ProviderStatic {
		return s
	}
	var tags []string
	for _, t := range b.known.Snapshots {
		tags = append(tags, t.Tag)
	}
	if len(tags) > 0 {
		s += "; and the snapshots " + strings.Join(tags, ", ")
	}
	return s
}

// change runs a verb that changes a lab that was made, under its lock, and says what was done. It asks before, when
// ask is not nil.
func (a *app) change(ctx context.Context, where labRef, verb string, ask func(*labSession) error, do func(context.Context, *labSession) (done string, err error)) error {
	if !where.state.Exists() {
		return where.neverMade()
	}
	unlock, err := a.lock(ctx, where, verb)
	if err != nil {
		return err
	}
	defer unlock()
	b, err := a.remembered(where)
	if err != nil {
		return err
	}
	if len(b.known.Machines) == 0 {
		return b.neverMade()
	}
	if ask != nil {
		if err := ask(b); err != nil {
			return err
		}
	}
	if err := a.equip(b, 0); err != nil {
		return err
	}
	b.engine.Sink = report.Lines(a.stderr, false)
	text, err := do(ctx, b)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, text)
	return nil
}

// neverMade is the answer of verbs that need machines.
func (f labRef) neverMade() error {
	return fail(exitFailed, "this lab has no machines").hinted("make it: podium up%s", f.arg)
}

// nodeNames lists the lab's machines in the order of its description, then those that stand in it no more.
func (b *labSession) nodeNames() []string {
	place := func(name string) int {
		if m := b.known.Machines[name]; !m.Removed {
			return m.Place
		}
		return math.MaxInt
	}
	return slices.SortedFunc(maps.Keys(b.known.Machines), func(x, y string) int {
		return cmp.Or(cmp.Compare(place(x), place(y)), naturalOrder(x, y))
	})
}
