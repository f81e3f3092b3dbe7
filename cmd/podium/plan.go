package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/plan"
)

const planLong = `Show what up would do: the machines and, for each, the steps in order with what they wait for.
Nothing is made or changed. Where lab.yaml differs from what the machines were made with (memory,
cpus, box, user, network), it says when that takes effect. When nodes can be reached, each step has
a reason: why it would run.
-o mermaid draws the graph of tasks (paste it into a Markdown file on GitHub or GitLab).`

func (a *app) planCommand() *cobra.Command {
	f := struct {
		output   outputFlag
		provider string
		on       selection
		offline  bool
		all      bool
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON, formatMermaid}}}
	c := &cobra.Command{
		Use:               "plan [LAB]",
		Short:             "Show what up would do, and touch nothing",
		Long:              planLong,
		Example:           "  podium plan\n  podium plan labs/cicd -o mermaid\n  podium plan -o json --offline",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			where, err := a.labOf(c, given)
			if err != nil {
				return err
			}
			b, err := a.described(where, f.provider)
			if err != nil {
				return err
			}
			if err := a.narrow(b, f.on); err != nil {
				return err
			}
			a.showWarnings()
			var reasons map[plan.TaskID]string
			var differences []engine.Difference
			if !f.offline {
				if reasons, differences, err = a.reasons(c.Context(), b); err != nil {
					return err
				}
			}
			p := b.plan
			if !f.all && f.output.format != formatJSON {
				p = p.Applying(reasons)
			}
			switch f.output.format {
			case formatJSON:
				return a.printJSON(planDocument{p.Document(reasons), differences})
			case formatMermaid:
				return p.Mermaid(a.stdout, reasons)
			}
			if err := p.Text(a.stdout, reasons, a.screen.width); err != nil {
				return err
			}
			if len(differences) > 0 {
				fmt.Fprintln(a.stdout, "\nNot as the machines were made:")
			}
			for _, d := range differences {
				fmt.Fprintf(a.stdout, "  %s\n", d)
			}
			if gone := b.gone(); len(gone) > 0 {
				fmt.Fprintf(a.stdout, "\nNo longer in %s, and left alone by up without --prune: %s\n", b.file, listNames(gone))
			}
			return nil
		},
	}
	a.addOutput(c, &f.output)
	a.addProvider(c, &f.provider)
	a.addSelection(c, &f.on)
	c.Flags().BoolVar(&f.all, "all", false, "show also what does not apply, such as the upgrade of a cluster that is new")
	c.Flags().BoolVar(&f.offline, "offline", false, "do not ask the nodes what they have")
	return c
}

// planDocument is the plan, and how machines that exist differ from it.
type planDocument struct {
	plan.Document
	Differences []engine.Difference `json:"differences,omitempty"`
}

// gone lists the lab's machines that the plan does not have.
func (b *labSession) gone() []string {
	return slices.DeleteFunc(b.nodeNames(), func(name string) bool {
		return slices.ContainsFunc(b.plan.All(), func(m lab.Machine) bool { return m.Name == name })
	})
}

// reasons asks the nodes why each task would run, and how the machines differ from the description; nil when the lab was
// never made.
func (a *app) reasons(ctx context.Context, b *labSession) (map[plan.TaskID]string, []engine.Difference, error) {
	if len(b.known.Machines) == 0 {
		return nil, nil, nil
	}
	if err := a.equip(b, noWait); err != nil {
		return nil, nil, err
	}
	changes, err := b.engine.Changes(ctx)
	if err != nil {
		return nil, nil, err
	}
	differences, err := b.engine.Differences(ctx)
	if err != nil {
		return nil, nil, err
	}
	reasons := map[plan.TaskID]string{}
	for _, c := range changes {
		reasons[c.Task] = c.Reason
	}
	return reasons, differences, nil
}
