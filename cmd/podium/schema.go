package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"podium/provision/lab"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of lab.yaml",
		Long: `Print the JSON Schema of lab.yaml. An editor that knows it completes fields and marks mistakes:
put "# yaml-language-server: $schema=lab.schema.json" into the first line of lab.yaml. podium init
writes both.`,
		Example: "  podium schema > lab.schema.json",
		Args:    args(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			text, err := lab.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s\n", text)
			return err
		},
	}
}
