package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"podium/provision/report"
	"podium/provision/wording"
)

func (a *app) exerciseShowCommand() *cobra.Command {
	f := struct {
		output   outputFlag
		language string
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:   "show [LAB] [NAME]",
		Short: "Show an exercise's text",
		Long: `Show what is to be done, with the values of this lab. Without NAME it is the exercise that was
started last.`,
		Example:           "  podium exercise show first-web-server\n  podium exercise show first-web-server --lang ko",
		Args:              args(0, 2, "a lab and an exercise"),
		ValidArgsFunction: a.completeExercise,
		RunE: func(c *cobra.Command, given []string) error {
			d, e, err := a.openExercise(c, given, f.language)
			if err != nil {
				return err
			}
			if f.output.json() {
				return a.printJSON(struct {
					exerciseJSON
					Text string `json:"text"`
				}{d.document(e), e.Text.In(d.language)})
			}
			return a.showText(d, e)
		},
	}
	a.addOutput(c, &f.output)
	a.addLanguage(c, &f.language)
	return c
}

// openExercise opens the lab and the exercise that a verb's words name.
func (a *app) openExercise(c *cobra.Command, given []string, language string) (*desk, chosen, error) {
	labs, name, err := splitExercise(c, given)
	if err != nil {
		return nil, chosen{}, err
	}
	d, err := a.openDesk(labs, language)
	if err != nil {
		return nil, chosen{}, err
	}
	e, err := d.choose(name)
	return d, e, err
}

// showText shows what is to be done.
func (a *app) showText(d *desk, e chosen) error {
	fmt.Fprintln(a.stdout, report.Printable(e.Text.In(d.language), false))
	fmt.Fprintln(a.stdout, wording.Say("worth", e.Minutes.N, e.Points()).In(d.language))
	return nil
}
