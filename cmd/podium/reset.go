package main

import (
	"context"

	"github.com/spf13/cobra"
)

const resetLong = `Bring the whole lab back to its first good state, the snapshot that up took after its first success,
or with --to to another snapshot. What was done on the nodes since then is lost: on a terminal
podium asks, elsewhere it needs --yes. Afterwards the machines run.`

func (a *app) resetCommand() *cobra.Command {
	f := struct {
		to  string
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
			where, err := a.folder(given)
			if err != nil {
				return err
			}
			return a.restore(c.Context(), where, "reset", f.to, f.yes, func(ctx context.Context, b *labSession) error {
				return b.engine.Reset(ctx, f.to)
			})
		},
	}
	c.Flags().StringVar(&f.to, "to", "", "`name` of the snapshot (default: the one that up took)")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	if err := c.RegisterFlagCompletionFunc("to", a.completeTags); err != nil {
		panic(err) // the flag was not defined: a mistake in this package
	}
	return c
}
