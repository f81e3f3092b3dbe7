package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"podium/provision/exercise/check"
	"podium/provision/exercise/ledger"
	"podium/provision/report"
)

// exerciseHintCommand is podium exercise hint, and its short form podium hint.
func (a *app) exerciseHintCommand() *cobra.Command {
	language := ""
	c := &cobra.Command{
		Use:   "hint [LAB] [NAME]",
		Short: "Show an exercise's next hint",
		Long: `Show the hints that were taken, and the next one, with the points that it costs. A hint for a
check that holds by the last podium check is left out. Hints that were taken can be read again for
nothing.`,
		Example:           "  podium exercise hint\n  podium exercise hint first-web-server --lang ko",
		Args:              args(0, 2, "a lab and an exercise"),
		ValidArgsFunction: a.completeExercise,
		RunE: func(c *cobra.Command, given []string) error {
			d, e, err := a.openExercise(c, given, language)
			if err != nil {
				return err
			}
			next := d.nextHint(e)
			if next > 0 {
				if err := d.record(ledger.Entry{Kind: ledger.Hinted, Exercise: e.Name, Hint: next, Cost: e.Hints[next-1].Cost.N}); err != nil {
					return err
				}
			}
			for i, h := range e.Hints {
				if slices.Contains(d.standing(e.Name).Hints, i+1) {
					fmt.Fprintf(a.stdout, "%d (-%d): %s\n", i+1, h.Cost.N, report.Printable(h.Text.In(d.language), false))
				}
			}
			if next == 0 {
				return fail(exitFailed, "%s has no further hint now", e.Name)
			}
			return nil
		},
	}
	a.addLanguage(c, &language)
	return c
}

// nextHint is the number of the next hint, from 1; 0: there is none.
func (d *desk) nextHint(e chosen) int {
	s := d.standing(e.Name)
	for i, h := range e.Hints {
		if !slices.Contains(s.Hints, i+1) && (h.When == "" || s.Checks[h.When].Now != string(check.Holds)) {
			return i + 1
		}
	}
	return 0
}
