package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"podium/provision/exercise"
	"podium/provision/lab"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [exercise]",
		Short: "Print the JSON Schema of lab.yaml, or of exercise.yaml",
		Long: `Print the JSON Schema of lab.yaml. An editor that knows it completes fields and marks mistakes:
put "# yaml-language-server: $schema=lab.schema.json" into the first line of lab.yaml. podium init
writes both. With "exercise" it is that of an exercise's exercise.yaml.`,
		Example:           "  podium schema > lab.schema.json\n  podium schema exercise > exercise.schema.json",
		Args:              args(0, 1, "exercise or nothing"),
		ValidArgsFunction: cobra.FixedCompletions([]string{"exercise"}, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, given []string) error {
			schema := lab.Schema
			if len(given) > 0 {
				if given[0] != "exercise" {
					return usage("schema: %q is not known: write exercise, or nothing for lab.yaml", given[0])
				}
				schema = exercise.Schema
			}
			text, err := schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s\n", text)
			return err
		},
	}
}
