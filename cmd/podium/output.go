package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The formats that verbs print in.
const (
	formatText    = "text"
	formatJSON    = "json"
	formatYAML    = "yaml"
	formatMermaid = "mermaid"
	formatJUnit   = "junit"
)

// outputFlag is the flag -o of a verb.
type outputFlag struct {
	format  string
	formats []string
	app     *app
}

func (f *outputFlag) String() string { return f.format }
func (f *outputFlag) Type() string   { return "format" }

// Set refuses formats that the verb does not have. Errors are JSON from here on when the result is.
func (f *outputFlag) Set(s string) error {
	if !slices.Contains(f.formats, s) {
		return fmt.Errorf("write %s", strings.Join(f.formats, ", "))
	}
	f.format = s
	if f.app != nil {
		f.app.output = s
	}
	return nil
}

func (f *outputFlag) json() bool { return f.format == formatJSON }

// addOutput gives a verb the flag -o.
func (a *app) addOutput(c *cobra.Command, f *outputFlag) {
	f.app = a
	c.Flags().VarP(f, "output", "o", strings.Join(f.formats, ", "))
	a.completeValues(c, "output", f.formats...)
}

// completeValues makes the shell offer values for a flag.
func (a *app) completeValues(c *cobra.Command, flag string, values ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was not defined: a mistake in this package
	}
}
