package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"podium/provision/exercise"
	"podium/provision/lab"
)

const validateLong = `Check a description without touching anything. Every problem is reported at once, as
FILE:LINE:COLUMN: FIELD: what is wrong: what to write. With -o yaml or -o json it prints the
description with all defaults filled in. The lab's exercises are checked too.

A file lab.override.yaml beside lab.yaml changes parts of it for one classroom or one computer, and
lab.yaml stays as it came. It has the same fields; those in it take the place of lab.yaml's, and
nodes and steps are matched by their names.`

func (a *app) validateCommand() *cobra.Command {
	f := struct {
		output   outputFlag
		provider string
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatYAML, formatJSON}}}
	c := &cobra.Command{
		Use:               "validate [LAB]",
		Short:             "Check lab.yaml and the exercises",
		Long:              validateLong,
		Example:           "  podium validate\n  podium validate labs/k8s-basic -o yaml",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(_ *cobra.Command, given []string) error {
			where, err := a.folder(given)
			if err != nil {
				return err
			}
			p, err := a.describe(where, f.provider)
			if err != nil {
				return err
			}
			l := p.Lab
			a.showWarnings()
			exercises, err := exercise.Load(l)
			if err != nil {
				return err
			}
			switch f.output.format {
			case formatYAML:
				text, err := lab.Marshal(l)
				if err != nil {
					return err
				}
				_, err = a.stdout.Write(text)
				return err
			case formatJSON:
				return a.printDescription(l)
			}
			file := where.file
			if over := lab.Override(file); over != "" {
				file += " with " + filepath.Base(over)
			}
			more := ""
			if len(exercises) > 0 {
				more = ", " + counted(len(exercises), "exercise")
			}
			fmt.Fprintf(a.stdout, "%s is valid: %s, %s, %s%s on %s\n", file, l.Name, counted(len(p.Machines), "machine"), counted(p.Applying(nil).Steps(), "step"), more, l.Provider)
			return nil
		},
	}
	a.addOutput(c, &f.output)
	a.addProvider(c, &f.provider)
	return c
}

// printDescription writes a description as JSON with the names that lab.yaml has.
func (a *app) printDescription(l lab.Lab) error {
	text, err := lab.Marshal(l)
	if err != nil {
		return err
	}
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("description as JSON: %w", err)
	}
	return a.printJSON(v)
}

// addProvider gives a verb the flag --provider.
func (a *app) addProvider(c *cobra.Command, provider *string) {
	c.Flags().StringVar(provider, "provider", "", "`name` of what makes the machines, in place of lab.yaml's: virtualbox, libvirt, incus, static or sim")
	a.completeValues(c, "provider", lab.Providers()...)
}
