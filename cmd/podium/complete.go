package main

import (
	"github.com/spf13/cobra"
)

// completeLabs lets the shell complete a path.
func completeLabs(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}
