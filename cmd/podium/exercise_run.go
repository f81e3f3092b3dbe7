package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"podium/provision/exercise"
	"podium/provision/exercise/ledger"
	"podium/provision/lab"
	"podium/provision/remote"
	"podium/provision/report"
	"podium/provision/wording"
)

type runFlags struct {
	language string
	yes      bool
}

// exerciseVerb makes a verb that runs scripts of an exercise.
func (a *app) exerciseVerb(c *cobra.Command, do func(ctx context.Context, d *desk, e chosen, f runFlags) error) *cobra.Command {
	f := runFlags{}
	c.Args = args(0, 2, "a lab and an exercise")
	c.ValidArgsFunction = a.completeExercise
	c.RunE = func(c *cobra.Command, given []string) error {
		d, e, err := a.openExercise(c, given, f.language)
		if err != nil {
			return err
		}
		if err := d.suited(e); err != nil {
			return err
		}
		return do(c.Context(), d, e, f)
	}
	a.addLanguage(c, &f.language)
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return c
}

func (a *app) exerciseStartCommand() *cobra.Command {
	return a.exerciseVerb(&cobra.Command{
		Use:     "start [LAB] NAME",
		Short:   "Begin an exercise: run its setup and show its text",
		Long:    "Bring the lab to where the exercise starts, by its setup, and show what is to be done.",
		Example: "  podium exercise start first-web-server",
	}, func(ctx context.Context, d *desk, e chosen, _ runFlags) error {
		if err := d.setUp(ctx, e, ledger.Start); err != nil {
			return err
		}
		return a.showText(d, e)
	})
}

func (a *app) exerciseResetCommand() *cobra.Command {
	return a.exerciseVerb(&cobra.Command{
		Use:   "reset [LAB] [NAME]",
		Short: "Begin an exercise again",
		Long: `Bring the lab back to where the exercise starts, by its setup, and begin a new attempt. What was
earned before is kept. On a terminal podium asks, elsewhere it needs --yes.`,
		Example: "  podium exercise reset first-web-server --yes",
	}, func(ctx context.Context, d *desk, e chosen, f runFlags) error {
		if err := a.confirm(ctx, f.yes, "%s", wording.Say("ask-reset", e.Name).In(d.language)); err != nil {
			return err
		}
		if err := d.setUp(ctx, e, ledger.Reset); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, wording.Say("was-reset", e.Name, d.standing(e.Name).Attempt).In(d.language))
		return nil
	})
}

func (a *app) exerciseSolveCommand() *cobra.Command {
	return a.exerciseVerb(&cobra.Command{
		Use:   "solve [LAB] [NAME]",
		Short: "Run an exercise's solution on the lab",
		Long: `Run the solution's scripts on the lab's nodes, and show them. Points are kept for what held before;
nothing that is earned afterwards counts. On a terminal podium asks, elsewhere it needs --yes.`,
		Example: "  podium exercise solve first-web-server --yes",
	}, func(ctx context.Context, d *desk, e chosen, f runFlags) error {
		if len(e.Solution) == 0 {
			return fail(exitFailed, "%s has no solution that runs", e.Name)
		}
		if err := a.confirm(ctx, f.yes, "%s", wording.Say("ask-solve", e.Name).In(d.language)); err != nil {
			return err
		}
		for _, s := range e.Solution {
			fmt.Fprintf(a.stdout, "# %s\n%s\n", s.Run, report.Printable(e.Bodies[s.Run], false))
		}
		if err := d.record(ledger.Entry{Kind: ledger.Solved, Exercise: e.Name}); err != nil {
			return err
		}
		return d.carryOut(ctx, e, e.Solution, "exercise solve")
	})
}

// setUp runs the exercise's setup and records what began.
func (d *desk) setUp(ctx context.Context, e chosen, kind string) error {
	if err := d.carryOut(ctx, e, e.Setup, "exercise "+kind); err != nil {
		return err
	}
	return d.record(ledger.Entry{Kind: kind, Exercise: e.Name})
}

// carryOut runs scripts one after the other, with the lab held.
func (d *desk) carryOut(ctx context.Context, e chosen, scripts []exercise.Script, verb string) error {
	if len(scripts) == 0 {
		return nil
	}
	if d.lab.Provider == lab.ProviderSim {
		d.app.warn("not rehearsed: the simulator cannot run the scripts of exercises")
		return nil
	}
	room, err := d.room(ctx)
	if err != nil {
		return err
	}
	defer room.Close()
	unlock, err := d.app.lock(ctx, d.labRef, verb)
	if err != nil {
		return err
	}
	defer unlock()
	start := time.Now()
	now := ""
	var mu sync.Mutex
	stop := d.app.showLine(func() string {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprintf("%s: %s, %s", e.Name, now, time.Since(start).Round(time.Second))
	})
	defer stop()
	for _, s := range scripts {
		mu.Lock()
		now = s.Run
		mu.Unlock()
		last := &lastLines{}
		outcomes := room.Run(ctx, &e.Exercise, s, e.env, func(node string) io.WriteCloser { return last.of(node) })
		if err := failedNodes(outcomes); err != nil {
			return withLines(err, e.Name+"/"+s.Run, last)
		}
	}
	return nil
}

// withLines says which script failed, and what it said at last.
func withLines(err error, script string, last *lastLines) error {
	code, ok := err.(*codeError)
	if !ok {
		return err
	}
	return fail(exitFailed, "%s: %w", script, code.err).hinted("%s\n%s", code.hint, last)
}

// lastLines keeps the last lines of each node's output.
type lastLines struct {
	mu    sync.Mutex
	lines []string
}

const keptLines = 12

func (l *lastLines) of(node string) io.WriteCloser {
	return remote.Lines(func(line string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, node+" | "+report.Clean(line))
		if len(l.lines) > keptLines {
			l.lines = l.lines[1:]
		}
	})
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
