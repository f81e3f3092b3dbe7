package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"podium/provision/exercise"
	"podium/provision/exercise/check"
	"podium/provision/exercise/examine"
	"podium/provision/exercise/ledger"
	"podium/provision/report"
	"podium/provision/wording"
)

const checkLong = `Ask the lab's nodes whether an exercise's checks hold. Without NAME it is the exercise that was
started last. A check that does not hold says what was seen and what is wanted; one with a time in
which it has to hold is asked again until then. All checks of a node go there together, as root in
a clean shell; they write nothing there and read no shell's history.

Answers to questions of the text are given by --answer CHECK=TEXT, and kept.

Exit codes: 0 all checks hold, 1 some do not, 3 some did not run (no connection, too slow, a fault
of their own) or were not rehearsed, and all others hold. What did not run costs no points.`

type examFlags struct {
	output   outputFlag
	language string
	answers  []string
	explain  bool
	once     bool
}

// exerciseCheckCommand is podium exercise check, and its short form podium check.
func (a *app) exerciseCheckCommand(call string) *cobra.Command {
	f := examFlags{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON, formatJUnit}}}
	c := &cobra.Command{
		Use:   "check [LAB] [NAME]",
		Short: "Check an exercise, and say why a check does not hold",
		Long:  checkLong,
		Example: strings.ReplaceAll(`  podium check                             # the exercise that was started last
  podium check first-web-server --answer what-runs-inside=nginx
  podium check first-web-server --explain  # the commands behind the checks
  podium check -o junit > check.xml`, "podium check", "podium "+call),
		Args:              args(0, 2, "a lab and an exercise"),
		ValidArgsFunction: a.completeExercise,
		RunE: func(c *cobra.Command, given []string) error {
			d, e, err := a.openExercise(c, given, f.language)
			if err != nil {
				return err
			}
			if f.explain {
				return a.explainChecks(d, e)
			}
			if err := d.suited(e); err != nil {
				return err
			}
			if err := d.takeAnswers(e, f.answers); err != nil {
				return err
			}
			return a.check(c.Context(), d, e, f)
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.answers, "answer", nil, "`CHECK=TEXT` answers a question; for several, several times")
	flags.BoolVar(&f.explain, "explain", false, "print what the checks run, and ask nothing")
	flags.BoolVar(&f.once, "once", false, "ask once: do not wait for what may hold later")
	a.addOutput(c, &f.output)
	a.addLanguage(c, &f.language)
	return c
}

// takeAnswers records what was answered.
func (d *desk) takeAnswers(e chosen, given []string) error {
	answers := map[string]string{}
	for _, text := range given {
		name, answer, ok := strings.Cut(text, "=")
		c, known := e.Check(name)
		switch {
		case !ok:
			return usage("--answer %q: write CHECK=TEXT", text)
		case !known || c.Answer == nil:
			var questions []string
			for _, c := range e.Checks {
				if c.Answer != nil {
					questions = append(questions, c.Name)
				}
			}
			if len(questions) == 0 {
				return usage("--answer %q: %s asks no question", text, e.Name)
			}
			return usage("--answer %q: %s is not a question of %s: there are %s", text, name, e.Name, strings.Join(questions, ", "))
		}
		answers[name] = answer
	}
	if len(answers) == 0 {
		return nil
	}
	return d.record(ledger.Entry{Kind: ledger.Answered, Exercise: e.Name, Answers: answers})
}

// check asks, records and shows.
func (a *app) check(ctx context.Context, d *desk, e chosen, f examFlags) error {
	room, err := d.room(ctx)
	if err != nil {
		return err
	}
	defer room.Close()
	start := time.Now()
	outcomes := a.take(ctx, d, e, room, f.once)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := d.recordChecks(e, outcomes); err != nil {
		return err
	}
	switch f.output.format {
	case formatJSON:
		err = a.printJSON(d.checked(e, outcomes))
	case formatJUnit:
		err = report.Checks(a.stdout, d.lab.Name+"."+e.Name, start, d.cases(outcomes))
	default:
		a.showOutcomes(d, e, outcomes)
	}
	if err != nil {
		return err
	}
	return verdict(outcomes)
}

// take asks the checks, and shows on a terminal how many hold while others are waited for.
func (a *app) take(ctx context.Context, d *desk, e chosen, room *examine.Room, once bool) []examine.Outcome {
	start, holding := time.Now(), make(chan int, 1)
	n := 0
	stop := a.showLine(func() string {
		select {
		case n = <-holding:
		default:
		}
		return wording.Say("checking", n, len(e.Checks), time.Since(start).Round(time.Second)).In(d.language)
	})
	defer stop()
	return room.Take(ctx, examine.Exam{Checks: e.Checks, Answers: d.standing(e.Name).Answers, Env: e.env, Once: once}, func(all []examine.Outcome) {
		hold := 0
		for _, o := range all {
			if o.Result == check.Holds {
				hold++
			}
		}
		select {
		case <-holding:
		default:
		}
		holding <- hold
	})
}

// recordChecks writes results to the ledger; those that were not rehearsed are not results.
func (d *desk) recordChecks(e chosen, outcomes []examine.Outcome) error {
	entry := ledger.Entry{Kind: ledger.Checked, Exercise: e.Name}
	for _, o := range outcomes {
		if o.Result != check.NotRehearsed {
			entry.Checks = append(entry.Checks, ledger.Mark{
				Name: o.Check.Name, Result: string(o.Result), Points: o.Check.Worth(), Why: printable(o.Why.In(wording.English)),
			})
		}
	}
	if len(entry.Checks) < len(outcomes) {
		return nil
	}
	return d.record(entry)
}

// verdict is the exit code of checks.
func verdict(outcomes []examine.Outcome) error {
	worst := 0
	for _, o := range outcomes {
		switch o.Result {
		case check.Holds:
		case check.DidNotRun, check.NotRehearsed:
			worst = max(worst, 1)
		default:
			worst = 2
		}
	}
	switch worst {
	case 1:
		return exitStatus(exitPreflight)
	case 2:
		return exitStatus(exitFailed)
	}
	return nil
}

// why is a sentence for the terminal: parts of it come from nodes.
func (d *desk) why(o examine.Outcome) string { return printable(o.Why.In(d.language)) }

// showOutcomes shows a line for each check, and why it does not hold on the next.
func (a *app) showOutcomes(d *desk, e chosen, outcomes []examine.Outcome) {
	look := newLook(a.screen)
	width := 0
	words := map[check.Result]string{}
	for _, r := range check.Results() {
		words[r] = wording.Say("result-" + string(r)).In(d.language)
	}
	for _, o := range outcomes {
		width = max(width, ansi.StringWidth(words[o.Result]))
	}
	for _, o := range outcomes {
		word := words[o.Result] + strings.Repeat(" ", width-ansi.StringWidth(words[o.Result]))
		fmt.Fprintf(a.stdout, "%s  %s\n", look.result(o.Result, word), printable(o.Check.Title.In(d.language)))
		if why := d.why(o); why != "" {
			fmt.Fprintf(a.stdout, "%s  %s\n", strings.Repeat(" ", width), why)
		}
		if o.Why.ID() == "not-answered" {
			fmt.Fprintf(a.stdout, "%s  podium check%s %s --answer %s=...\n", strings.Repeat(" ", width), d.arg, e.Name, o.Check.Name)
		}
	}
	s := d.standing(e.Name)
	hold := 0
	for _, o := range outcomes {
		if o.Result == check.Holds {
			hold++
		}
	}
	fmt.Fprintln(a.stdout, wording.Say("summary", hold, len(outcomes), s.Points(), e.Points()).In(d.language))
}

// result paints the word for a result.
func (l style) result(r check.Result, word string) string {
	switch r {
	case check.Holds:
		return l.green(word)
	case check.DoesNotHold, check.CannotHold:
		return l.red(word)
	}
	return l.yellow(word)
}

// checked is the JSON of a check: the exercise as it stands, with the results of this moment.
func (d *desk) checked(e chosen, outcomes []examine.Outcome) exerciseJSON {
	doc := d.document(e)
	for i, o := range outcomes {
		c := &doc.Checks[i]
		c.Result, c.Why, c.Nodes, c.Took = string(o.Result), d.why(o), o.Nodes, o.Took
	}
	return doc
}

// cases are the checks for JUnit.
func (d *desk) cases(outcomes []examine.Outcome) []report.Case {
	var cases []report.Case
	for _, o := range outcomes {
		c := report.Case{Name: o.Check.Name, Took: o.Took, Message: d.why(o)}
		switch o.Result {
		case check.Holds:
			c.Message = ""
		case check.DidNotRun, check.NotRehearsed:
			c.Skipped = true
		default:
			c.Failed = true
		}
		cases = append(cases, c)
	}
	return cases
}

// explainChecks prints the probes.
func (a *app) explainChecks(d *desk, e chosen) error {
	for _, c := range e.Checks {
		fmt.Fprintf(a.stdout, "# %s: %s\n", c.Name, printable(c.Title.In(d.language)))
		nodes, err := exercise.Nodes(d.lab, &c)
		probe := strings.TrimRight(report.Printable(c.Kind().Probe(), false), "\n")
		switch {
		case err != nil:
			fmt.Fprintf(a.stdout, "# %v\n", err)
		case probe == "":
			probe = "# asks no node"
		default:
			fmt.Fprintf(a.stdout, "# on %s, as root\n", strings.Join(slices.Clip(nodes), ", "))
		}
		fmt.Fprintf(a.stdout, "%s\n\n", probe)
	}
	return nil
}
