package main

import (
	"github.com/spf13/cobra"

	"podium/provision/machine/sim"
)

// simHostCommand is the background process that hosts simulated nodes. podium starts it by itself.
func (a *app) simHostCommand() *cobra.Command {
	f := struct{ dir string }{}
	c := &cobra.Command{
		Use:    "sim-host --dir DIR",
		Short:  "Host a lab's simulated nodes (podium starts this by itself)",
		Hidden: true,
		Args:   args(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if f.dir == "" {
				return usage("sim-host: needs --dir")
			}
			return sim.Serve(c.Context(), sim.ServeOptions{Dir: f.dir, Version: readBuildInfo().Version, Log: a.log.Named("sim")})
		},
	}
	c.Flags().StringVar(&f.dir, "dir", "", "the provider's folder in .podium")
	return c
}
