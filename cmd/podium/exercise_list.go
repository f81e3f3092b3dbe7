package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"podium/provision/exercise"
	"podium/provision/exercise/check"
	"podium/provision/exercise/ledger"
	"podium/provision/report"
	"podium/provision/wording"
)

func (a *app) exerciseListCommand() *cobra.Command {
	f := struct {
		output          outputFlag
		language, topic string
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:   "list [LAB]",
		Short: "List the lab's exercises, with what was done",
		Long: `List the lab's exercises in their order, with the minutes they take, the points that were earned,
and where each stands. What held once and what holds now are kept apart.`,
		Example:           "  podium exercise list\n  podium exercise list --topic containers --lang ko",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(_ *cobra.Command, given []string) error {
			d, err := a.openDesk(given, f.language)
			if err != nil {
				return err
			}
			return a.listExercises(d, f.topic, f.output)
		},
	}
	c.Flags().StringVar(&f.topic, "topic", "", "only those of this `topic`")
	a.addOutput(c, &f.output)
	a.addLanguage(c, &f.language)
	return c
}

// exerciseJSON is an exercise in JSON.
type exerciseJSON struct {
	Name      string      `json:"name"`
	Title     string      `json:"title"`
	Topic     string      `json:"topic,omitempty"`
	Minutes   int         `json:"minutes"`
	Level     int         `json:"level"`
	Breaks    bool        `json:"breaks,omitempty"`
	Points    int         `json:"points"` // that it is worth
	Earned    int         `json:"earned"`
	Attempt   int         `json:"attempt"`
	Hints     []int       `json:"hints,omitempty"` // taken
	Shown     bool        `json:"solution_shown,omitempty"`
	DoneAt    *time.Time  `json:"done_at,omitempty"`
	Needs     []string    `json:"needs,omitempty"` // that the lab does not have
	NeedsDone []string    `json:"needs_exercises,omitempty"`
	Checks    []checkJSON `json:"checks"`
}

type checkJSON struct {
	Name    string        `json:"name"`
	Title   string        `json:"title"`
	Points  int           `json:"points"`
	Result  string        `json:"result,omitempty"` // the last one
	Why     string        `json:"why,omitempty"`
	FirstAt *time.Time    `json:"first_at,omitempty"`
	Tries   int           `json:"tries"`
	Nodes   []string      `json:"nodes,omitempty"`
	Took    time.Duration `json:"took_ns,omitempty"`
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// document is an exercise in JSON, as it stands.
func (d *desk) document(e chosen) exerciseJSON {
	s := d.standing(e.Name)
	doc := exerciseJSON{
		Name: e.Name, Title: e.Title.In(d.language), Topic: e.Topic, Minutes: e.Minutes.N, Level: max(1, e.Level.N), Breaks: e.Breaks,
		Points: e.Points(), Earned: s.Points(), Attempt: s.Attempt, Hints: s.Hints, Shown: s.Shown, DoneAt: moment(s.Done),
		Needs: e.Unmet(d.lab), NeedsDone: e.Needs.Exercises, Checks: []checkJSON{},
	}
	for _, c := range e.Checks {
		r := s.Checks[c.Name]
		doc.Checks = append(doc.Checks, checkJSON{
			Name: c.Name, Title: c.Title.In(d.language), Points: c.Worth(), Result: r.Now, Why: r.Why, FirstAt: moment(r.First), Tries: r.Tries,
		})
	}
	return doc
}

func (a *app) listExercises(d *desk, topic string, o outputFlag) error {
	say := func(id string, values ...any) string { return wording.Say(id, values...).In(d.language) }
	docs := []exerciseJSON{}
	t := report.Table{
		Head:  []string{say("head-exercise"), say("head-title"), say("head-minutes"), say("head-points"), say("head-state")},
		Width: a.screen.width, Spare: []string{say("head-minutes")},
	}
	for _, name := range d.names() {
		e, err := d.choose([]string{name})
		if err != nil {
			return err
		}
		if topic != "" && e.Topic != topic {
			continue
		}
		doc := d.document(e)
		docs = append(docs, doc)
		t.Row(e.Name, printable(doc.Title), fmt.Sprint(doc.Minutes), fmt.Sprintf("%d/%d", doc.Earned, doc.Points), d.progress(&e.Exercise))
	}
	if o.json() {
		return a.printJSON(docs)
	}
	if len(docs) == 0 {
		fmt.Fprintln(a.stdout, say("no-exercises", "podium schema exercise"))
		return nil
	}
	t.Write(a.stdout)
	return nil
}

// progress says in a few words where an exercise stands.
func (d *desk) progress(e *exercise.Exercise) string {
	s := d.standing(e.Name)
	say := func(id string, values ...any) string { return wording.Say(id, values...).In(d.language) }
	lacks := e.Unmet(d.lab)
	switch {
	case len(lacks) > 0:
		return say("state-needs", strings.Join(lacks, "; "))
	case s.Shown:
		return say("state-shown")
	case !s.Done.IsZero() && notNow(s):
		return say("state-was-done", s.Done.Local().Format(time.DateTime))
	case !s.Done.IsZero():
		return say("state-done", s.Done.Local().Format(time.DateTime))
	case s.Attempt > 0:
		return say("state-started")
	}
	return say("state-new")
}

// notNow reports whether a check that was asked last did not hold.
func notNow(s *ledger.Standing) bool {
	for _, r := range s.Checks {
		if r.Now != string(check.Holds) {
			return true
		}
	}
	return len(s.Checks) == 0
}

// printable is an author's text on one line.
func printable(text string) string { return report.Clean(strings.ReplaceAll(text, "\n", " ")) }
