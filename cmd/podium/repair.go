package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/plan"
	"podium/provision/report"
	"podium/provision/step"
	"podium/scripts"
)

const repairLong = `Repair a lab that has been switched off for months, on all nodes at once: clocks, addresses, the
list of hosts, swap, the container runtime; the certificates of control planes, which are good for a
year, with the static pods and kubeconfigs that use them; workers whose certificate has expired join
again with a new token; pods of the cluster that do not run are restarted. What expires within 30
days is renewed too. Machines that do not run are started.

Only what is wrong is touched, so that a second repair finds nothing. --plan says what is wrong and
what would be done, and changes nothing.

Exit code: 0 when nothing is wrong (any more); 1 when something is: with --plan, what there is to
repair, otherwise what podium could not repair.`

func (a *app) repairCommand() *cobra.Command {
	output := outputFlag{format: formatText, formats: []string{formatText, formatJSON}}
	var look, verbose bool
	var on selection
	c := &cobra.Command{
		Use:   "repair [LAB]",
		Short: "Repair a lab that has been switched off for months",
		Long:  repairLong,
		Example: `  podium repair --plan              # what is wrong, and what would be done
  podium repair                     # do it
  podium repair labs/k8s-basic -o json`,
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			where, err := a.labOf(c, given)
			if err != nil {
				return err
			}
			return a.repair(c.Context(), where, on, look, verbose, output)
		},
	}
	a.addOutput(c, &output)
	a.addSelection(c, &on)
	c.Flags().BoolVar(&look, "plan", false, "only say what is wrong and what would be done")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show all output of the scripts")
	return c
}

func (a *app) repair(ctx context.Context, where labRef, on selection, look, verbose bool, output outputFlag) error {
	b, err := a.described(where, "")
	if err != nil {
		return err
	}
	if len(b.known.Machines) == 0 {
		return usage("this lab has no machines that could be repaired").hinted("make it: podium up%s", b.arg)
	}
	l := b.lab
	l.Steps = nil // the lab's own steps have no part in it
	names, err := nodesOf(b.plan).choose(on)
	if err != nil {
		return err
	}
	if b.plan, err = plan.BuildFrom(step.Repairs(), l, scripts.Guest(), lab.Files(l.Dir), names...); err != nil {
		return err
	}
	a.sayWhoElse(b.plan, on, names)
	unlock, err := a.lock(ctx, where, "repair")
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.equip(b, 0); err != nil {
		return err
	}
	b.engine.Sink = report.Lines(a.stderr, verbose)
	did, err := b.engine.Repair(ctx, engine.RepairOptions{DryRun: look})
	if canceled(err) {
		return fail(exitInterrupted, "interrupted: what is repaired is repaired").hinted("go on with: podium repair%s", b.arg)
	}
	var run *engine.RunError
	if err != nil && !errors.As(err, &run) {
		return err
	}
	if output.json() {
		if err := a.printRepairJSON(did, look); err != nil {
			return err
		}
	} else {
		a.printRepair(b, did, look)
	}
	switch {
	case run != nil:
		return fail(exitFailed, "%s is not repaired", did.Lab)
	case look && len(did.Findings) > 0, did.Left() > 0:
		return exitStatus(exitFailed)
	}
	return nil
}

// printRepair lists what was found.
func (a *app) printRepair(b *labSession, did engine.Repaired, look bool) {
	done := "repaired"
	if look {
		done = "to do"
	}
	for _, f := range did.Findings {
		how := done
		if f.Beyond {
			how = "by hand"
		}
		fmt.Fprintf(a.stdout, "%s: %s\n  %s: %s\n", f.Node, f.What, how, f.Remedy)
	}
	for _, f := range did.Failures {
		fmt.Fprintln(a.stdout, f)
	}
	switch {
	case len(did.Findings) == 0 && len(did.Failures) == 0:
		fmt.Fprintf(a.stdout, "%s: nothing is wrong (looked for %s)\n", did.Lab, report.Duration(did.Duration))
	case look:
		fmt.Fprintf(a.stdout, "\n%s: %s found. To repair: podium repair%s\n", did.Lab, countFindings(len(did.Findings)), b.arg)
	default:
		fmt.Fprintf(a.stdout, "\n%s: %s, %d to repair by hand; took %s\n", did.Lab, countFindings(len(did.Findings)), did.Left(), report.Duration(did.Duration))
	}
}

func countFindings(n int) string {
	if n == 1 {
		return "1 problem"
	}
	return fmt.Sprintf("%d problems", n)
}

// printRepairJSON prints the account as one object.
func (a *app) printRepairJSON(did engine.Repaired, look bool) error {
	type finding struct {
		Node   string `json:"node"`
		Step   string `json:"step"`
		What   string `json:"what"`
		Remedy string `json:"remedy"`
		Done   bool   `json:"done"`
		Beyond bool   `json:"by_hand"`
	}
	type failure struct {
		Task  string `json:"task"`
		Error string `json:"error"`
		Log   string `json:"log,omitempty"`
	}
	doc := struct {
		Lab      string    `json:"lab"`
		Plan     bool      `json:"plan"`
		Seconds  float64   `json:"seconds"`
		Findings []finding `json:"findings"`
		Failures []failure `json:"failures"`
	}{did.Lab, look, did.Duration.Seconds(), []finding{}, []failure{}}
	for _, f := range did.Findings {
		doc.Findings = append(doc.Findings, finding{f.Node, f.Step, f.What, f.Remedy, !look && !f.Beyond, f.Beyond})
	}
	for _, f := range did.Failures {
		doc.Failures = append(doc.Failures, failure{string(f.ID), strings.TrimSpace(f.Err.Error()), f.Log})
	}
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}
