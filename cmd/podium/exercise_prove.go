package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"podium/provision/exercise/examine"
	"podium/provision/lab"
	"podium/provision/report"
)

const proveLong = `Carry exercises through on the lab's nodes, for their author: setup twice; the checks do not hold
then; each wrong attempt does not pass; the solution does, also when it runs twice; setup brings
back the start; and each check was seen to fail at least once. Without NAME it is every exercise
that the lab can carry. What a student did on the nodes may be lost, and nothing is written to the
ledger.

The exit code is 1 when something is not as it has to be.`

func (a *app) exerciseProveCommand() *cobra.Command {
	f := struct {
		output outputFlag
		yes    bool
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON, formatJUnit}}}
	c := &cobra.Command{
		Use:               "prove [LAB] [NAME...]",
		Short:             "Carry exercises through, to see that their checks tell right from wrong",
		Long:              proveLong,
		Example:           "  podium exercise prove --yes\n  podium exercise prove labs/docker first-web-server --yes",
		ValidArgsFunction: a.completeExercise,
		RunE: func(c *cobra.Command, given []string) error {
			labs, names := splitLab(given)
			d, err := a.openDesk(labs, "en")
			if err != nil {
				return err
			}
			if d.lab.Provider == lab.ProviderSim {
				return usage("the simulator cannot rehearse exercises: prove them on real nodes")
			}
			if err := a.confirm(c.Context(), f.yes, "exercises are set up and solved on the nodes of %s", d.lab.Name); err != nil {
				return err
			}
			return a.prove(c.Context(), d, names, f.output)
		},
	}
	a.addOutput(c, &f.output)
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return c
}

type proofJSON struct {
	Exercise string   `json:"exercise"`
	Seconds  float64  `json:"seconds"`
	Solution float64  `json:"solution_seconds"`
	Checks   int      `json:"checks"`
	Wrong    int      `json:"wrong_attempts"`
	Skipped  string   `json:"skipped,omitempty"` // why it was not carried through
	Faults   []string `json:"faults"`
}

func (a *app) prove(ctx context.Context, d *desk, names []string, o outputFlag) error {
	if len(names) == 0 {
		names = d.names()
	}
	room, err := d.room(ctx)
	if err != nil {
		return err
	}
	defer room.Close()
	unlock, err := a.lock(ctx, d.labRef, "exercise prove")
	if err != nil {
		return err
	}
	defer unlock()
	start := time.Now()
	var proofs []proofJSON
	failed := 0
	for _, name := range names {
		e, err := d.choose([]string{name})
		if err != nil {
			return err
		}
		if lacks := e.Unmet(d.lab); len(lacks) > 0 {
			proofs = append(proofs, proofJSON{Exercise: name, Checks: len(e.Checks), Skipped: "needs " + strings.Join(lacks, "; "), Faults: []string{}})
			continue
		}
		proof := a.proveOne(ctx, room, e)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if len(proof.Faults) > 0 {
			failed++
		}
		proofs = append(proofs, proofJSON{
			Exercise: name, Seconds: proof.Took.Seconds(), Solution: proof.Solution.Seconds(), Checks: len(e.Checks), Wrong: proof.Wrong,
			Faults: append([]string{}, proof.Faults...),
		})
	}
	switch o.format {
	case formatJSON:
		err = a.printJSON(proofs)
	case formatJUnit:
		var cases []report.Case
		for _, p := range proofs {
			cases = append(cases, report.Case{
				Name: p.Exercise, Took: time.Duration(p.Seconds * float64(time.Second)), Failed: len(p.Faults) > 0, Skipped: p.Skipped != "",
				Message: strings.Join(append(p.Faults, p.Skipped), "; "),
			})
		}
		err = report.Checks(a.stdout, d.lab.Name, start, cases)
	default:
		a.showProofs(proofs)
	}
	if err == nil && failed > 0 {
		return fail(exitFailed, "%d of %s not proven", failed, counted(len(proofs), "exercise"))
	}
	return err
}

// proveOne shows how far it is.
func (a *app) proveOne(ctx context.Context, room *examine.Room, e chosen) examine.Proof {
	start := time.Now()
	var mu sync.Mutex
	step := ""
	stop := a.showLine(func() string {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprintf("%s: %s, %s", e.Name, step, time.Since(start).Round(time.Second))
	})
	defer stop()
	return room.Prove(ctx, &e.Exercise, e.env, func(now string) {
		mu.Lock()
		defer mu.Unlock()
		step = now
		a.log.Debug("prove", "exercise", e.Name, "step", now)
	})
}

func (a *app) showProofs(proofs []proofJSON) {
	t := report.Table{Head: []string{"EXERCISE", "SECONDS", "SOLUTION", "CHECKS", "WRONG", "VERDICT"}}
	for _, p := range proofs {
		verdict := "proven"
		switch {
		case p.Skipped != "":
			verdict = "not run: " + p.Skipped
		case len(p.Faults) > 0:
			verdict = "NOT PROVEN"
		}
		t.Row(p.Exercise, fmt.Sprintf("%.1f", p.Seconds), fmt.Sprintf("%.1f", p.Solution), fmt.Sprint(p.Checks), fmt.Sprint(p.Wrong), verdict)
	}
	t.Write(a.stdout)
	for _, p := range proofs {
		for _, fault := range p.Faults {
			fmt.Fprintf(a.stdout, "%s: %s\n", p.Exercise, report.Clean(strings.ReplaceAll(fault, "\n", " ")))
		}
	}
}
