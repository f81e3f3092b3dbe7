package main

import (
	"context"

	"github.com/spf13/cobra"
)

const haltLong = `Stop the lab's machines in an orderly way. What is on them stays; up starts them again.`

func (a *app) haltCommand() *cobra.Command {
	var on selection
	c := &cobra.Command{
		Use:               "halt [LAB]",
		Short:             "Stop the lab's machines",
		Long:              haltLong,
		Example:           "  podium halt\n  podium halt --on w2",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			where, err := a.labOf(c, given)
			if err != nil {
				return err
			}
			return a.change(c.Context(), where, "halt", nil, func(ctx context.Context, b *labSession) (string, error) {
				names, err := b.selectNodes(on)
				if err != nil {
					return "", err
				}
				return "stopped " + listNames(names), b.engine.Halt(ctx, names...)
			})
		},
	}
	a.addSelection(c, &on)
	return c
}
