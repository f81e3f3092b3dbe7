package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/doctor"
	"podium/provision/exercise"
	"podium/provision/exercise/examine"
	"podium/provision/exercise/ledger"
	"podium/provision/lab"
	"podium/provision/remote"
	"podium/provision/wording"
)

const exerciseLong = `Exercises of a lab: what is to be done, setup, checks that say why, hints, a solution. They lie in
the lab's folder exercises/. What was done is kept in .podium/exercises.ndjson, and podium reset,
also of the whole lab, loses nothing of it.

Setup, checks and solutions run on the lab's nodes only, as root, and nothing of them on this
computer. The simulator cannot rehearse them: a check there is "not rehearsed", never passed.`

func (a *app) exerciseCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "exercise",
		Short: "Exercises of a lab: list, start, check, hints, solution",
		Long:  exerciseLong,
		Example: `  podium exercise list
  podium exercise start first-web-server
  podium check                       # the exercise that was started last
  podium hint
  podium exercise solve first-web-server`,
		RunE: func(c *cobra.Command, given []string) error {
			if len(given) > 0 {
				return unknownCommand(c, given[0])
			}
			return c.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	c.AddCommand(a.exerciseListCommand(), a.exerciseShowCommand(), a.exerciseStartCommand(), a.exerciseCheckCommand("exercise check"), a.exerciseSolveCommand(), a.exerciseResetCommand(), a.exerciseHintCommand(), a.exerciseProveCommand())
	return c
}

// desk is what a verb about exercises works with.
type desk struct {
	*labSession
	app       *app
	all       []exercise.Exercise
	seed      []byte
	language  string
	ledger    ledger.Ledger
	entries   []ledger.Entry
	standings map[string]*ledger.Standing
}

// openDesk opens the exercises of a lab.
func (a *app) openDesk(labs []string, language string) (*desk, error) {
	language, err := doctor.Language(language, a.getenv, doctor.SystemLanguage())
	if err != nil {
		return nil, usage("--lang: %w", err)
	}
	where, err := a.folder(labs)
	if err != nil {
		return nil, err
	}
	b, err := a.remembered(where)
	if err != nil {
		return nil, err
	}
	if !b.wasApplied() {
		p, err := a.describe(where, "")
		if err != nil {
			return nil, err
		}
		b.lab = p.Lab
	}
	d := &desk{labSession: b, app: a, language: language, ledger: ledger.At(b.state.Files())}
	if d.all, err = exercise.Load(b.lab); err != nil {
		return nil, err
	}
	if d.seed, err = d.readSeed(); err != nil {
		return nil, err
	}
	return d, d.read()
}

// read reads the ledger again. That somebody changed it is said, and stops nothing.
func (d *desk) read() (err error) {
	d.entries, err = d.ledger.Read()
	if tampered, ok := errors.AsType[*ledger.TamperedError](err); ok {
		d.app.warn("warning: %v", tampered)
	} else if err != nil {
		return err
	}
	d.standings = ledger.Standings(d.entries)
	return nil
}

// seedName is the file in .podium from which a lab's own values come.
const seedName = "seed"

// readSeed gives the lab's seed, and makes one at the first time. A lab that was never made has none: its .podium is
// for up to make.
func (d *desk) readSeed() ([]byte, error) {
	if !d.wasApplied() {
		return nil, nil
	}
	files := d.state.Files()
	text, err := files.Read(seedName, 1024)
	if errors.Is(err, fs.ErrNotExist) {
		text = make([]byte, exercise.SeedSize)
		if _, err := rand.Read(text); err != nil {
			return nil, fmt.Errorf("make the lab's seed: %w", err)
		}
		text = []byte(hex.EncodeToString(text) + "\n")
		err = files.Write(seedName, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("the lab's seed: %w", err)
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) == 0 {
		return nil, fmt.Errorf("%s does not hold a seed: delete it, and exercises get new values", files.Path(seedName))
	}
	return seed, nil
}

// standing is where an exercise stands.
func (d *desk) standing(name string) *ledger.Standing {
	if s := d.standings[name]; s != nil {
		return s
	}
	return &ledger.Standing{}
}

// record writes to the ledger.
func (d *desk) record(e ledger.Entry) error {
	if d.seed == nil {
		return d.neverMade()
	}
	e.Time = d.app.Now().UTC()
	if err := d.ledger.Append(e); err != nil {
		return err
	}
	return d.read()
}

// chosen is an exercise with its values filled in.
type chosen struct {
	exercise.Exercise
	env map[string]string
}

// choose finds an exercise; without a name it is the one that was started last.
func (d *desk) choose(names []string) (chosen, error) {
	name := ""
	switch {
	case len(names) > 0:
		name = names[0]
	default:
		if name = ledger.Current(d.entries); name == "" {
			return chosen{}, usage("which exercise? none was started yet: %s", strings.Join(d.names(), ", ")).hinted("podium exercise start%s NAME", d.arg)
		}
	}
	e, err := exercise.Find(d.all, name)
	if err != nil {
		unknown := usage("this lab has no exercise %q", name)
		if near := lab.Nearest(name, d.names(), len(name)/3+1); near != "" {
			return chosen{}, unknown.hinted("did you mean %s?", near)
		}
		if len(d.all) == 0 {
			return chosen{}, unknown.hinted("it has none: podium schema exercise says what an exercises/%s/exercise.yaml holds", name)
		}
		return chosen{}, unknown.hinted("there are: %s", strings.Join(d.names(), ", "))
	}
	if d.seed == nil {
		return chosen{Exercise: *e}, nil
	}
	values := e.Values(d.lab, d.seed)
	return chosen{exercise.Fill(*e, values), exercise.Environment(values)}, nil
}

func (d *desk) names() []string {
	names := make([]string, len(d.all))
	for i, e := range d.all {
		names[i] = e.Name
	}
	return names
}

// room reaches the lab's nodes. The caller closes it.
func (d *desk) room(ctx context.Context) (*examine.Room, error) {
	if d.seed == nil {
		return nil, d.neverMade()
	}
	if len(d.known.Machines) == 0 {
		if err := d.app.existing(ctx, d.labSession); err != nil {
			return nil, err
		}
	}
	if d.dialer == nil {
		d.dialer = d.app.newDialer(d.labSession, noWait)
	}
	return &examine.Room{
		Lab: d.lab, Language: d.language, Simulated: d.lab.Provider == lab.ProviderSim,
		Connect: func(ctx context.Context, node string) (remote.Host, error) {
			client, err := d.app.connect(ctx, d.labSession, node)
			if err != nil {
				return nil, err // not client, which would be a Host that is not nil
			}
			return client, nil
		},
	}, nil
}

// suited refuses an exercise that needs what the lab does not have.
func (d *desk) suited(e chosen) error {
	if lacks := e.Unmet(d.lab); len(lacks) > 0 {
		return usage("%s cannot be done in this lab: it needs %s", e.Name, strings.Join(lacks, "; "))
	}
	return nil
}

// addLanguage gives a verb the flag --lang.
func (a *app) addLanguage(c *cobra.Command, language *string) {
	c.Flags().StringVar(language, "lang", "", "`language`, "+strings.Join(wording.Languages(), " or ")+" (default: by the locale)")
	a.completeValues(c, "lang", wording.Languages()...)
}

// completeExercise completes [LAB] NAME.
func (a *app) completeExercise(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	labs, rest := splitLab(given)
	if len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	where, err := a.folder(labs)
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	all, _ := exercise.Load(lab.Lab{Dir: where.state.Lab()}) // what is wrong with some of them keeps the others
	var names []string
	for _, e := range all {
		names = append(names, cobra.CompletionWithDesc(e.Name, e.Title.EN))
	}
	return names, cobra.ShellCompDirectiveDefault
}

// splitExercise parts a verb's words into the lab and at most one exercise.
func splitExercise(c *cobra.Command, given []string) (labs, name []string, err error) {
	labs, name = splitLab(given)
	if len(name) > 1 {
		return nil, nil, usage("%s: too many arguments: %s", verbOf(c), quoteAll(name[1:])).hinted("usage: %s", c.UseLine())
	}
	return labs, slices.Clip(name), nil
}
