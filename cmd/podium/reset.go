package main

import (
	"context"

	"github.com/spf13/cobra"
)

const resetLong = `Bring the whole lab back to its first good state, the snapshot that up took after its first success,
or with --to to another snapshot. What was done on the nodes since then is lost: on a terminal
podium asks, elsewhere it needs --yes. Afterwards the machines run.

A snapshot is of all machines together, so reset has no --on. To make one node from the start:
podium destroy --on NODE, then podium up.`

func (a *app) resetCommand() *cobra.Command {
	f := struct {
		to  string
		on  selection
		yes bool
	}{}
	c := &cobra.Command{
		Use:               "reset [LAB]",
		Short:             "Bring the lab back to its first good state",
		Long:              resetLong,
		Example:           "  podium reset\n  podium reset --to before-lesson-3 --yes",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			where, err := a.labOf(c, given)
			if err != nil {
				return err
			}
			if f.on.given() {
				return usage("reset brings back the whole lab: its snapshots are of all machines together, as a cluster's members have to agree").
					hinted("to make a node from the start: podium destroy%s --on NODE, then podium up%s", where.arg, where.arg)
			}
			return a.restore(c.Context(), where, "reset", f.to, f.yes, func(ctx context.Context, b *labSession) error {
				return b.engine.Reset(ctx, f.to)
			})
		},
	}
	c.Flags().StringVar(&f.to, "to", "", "`name` of the snapshot (default: the one that up took)")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	a.addSelection(c, &f.on)
	for _, flag := range []string{"on", "role"} { // only there to be explained
		if err := c.Flags().MarkHidden(flag); err != nil {
			panic(err) // the flag was not defined: a mistake in this package
		}
	}
	if err := c.RegisterFlagCompletionFunc("to", a.completeTags); err != nil {
		panic(err) // the flag was not defined: a mistake in this package
	}
	return c
}
