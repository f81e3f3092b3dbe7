package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"podium/provision/report"
)

const snapshotLong = `Keep the whole lab as it is now under a name, and bring it back later. All machines are halted,
kept as one set and started again, so that a cluster's members agree with each other.`

func (a *app) snapshotCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "snapshot",
		Short:   "Keep the whole lab under a name, and bring it back",
		Long:    snapshotLong,
		Example: "  podium snapshot save before-lesson-3\n  podium snapshot list\n  podium snapshot restore before-lesson-3",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, given []string) error {
			if len(given) > 0 {
				return unknownCommand(c, given[0])
			}
			return c.Help()
		},
	}
	c.AddCommand(a.snapshotSaveCommand(), a.snapshotListCommand(), a.snapshotRestoreCommand(), a.snapshotDeleteCommand())
	return c
}

// tagged takes a lab and a snapshot's name off the words of a verb.
func (a *app) tagged(c *cobra.Command, given []string) (labRef, string, error) {
	labs, rest := given[:len(given)-1], given[len(given)-1:]
	where, err := a.folder(labs)
	if _, missing := os.Stat(rest[0]); err == nil && missing == nil && looksLikeLab(rest[0]) && len(labs) == 0 {
		err = usage("%s: missing argument: needs the snapshot's name", verbOf(c)).hinted("usage: %s", c.UseLine())
	}
	return where, rest[0], err
}

func (a *app) snapshotSaveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "save [LAB] NAME",
		Short:   "Keep the whole lab under NAME",
		Long:    snapshotLong,
		Example: "  podium snapshot save before-lesson-3",
		Args:    args(1, 2, "the snapshot's name"),
		RunE: func(c *cobra.Command, given []string) error {
			where, tag, err := a.tagged(c, given)
			if err != nil {
				return err
			}
			return a.change(c.Context(), where, "snapshot save", nil, func(ctx context.Context, b *labSession) (string, error) {
				return fmt.Sprintf("%s: snapshot %q taken", b.lab.Name, tag), b.engine.SnapshotSave(ctx, tag)
			})
		},
	}
}

func (a *app) snapshotRestoreCommand() *cobra.Command {
	f := struct{ yes bool }{}
	c := &cobra.Command{
		Use:   "restore [LAB] NAME",
		Short: "Bring the whole lab back to NAME",
		Long: `Bring the whole lab back to what it was when it was kept under NAME. What was done on its nodes
since then is lost: on a terminal podium asks, elsewhere it needs --yes.`,
		Example:           "  podium snapshot restore before-lesson-3",
		Args:              args(1, 2, "the snapshot's name"),
		ValidArgsFunction: a.completeTags,
		RunE: func(c *cobra.Command, given []string) error {
			where, tag, err := a.tagged(c, given)
			if err != nil {
				return err
			}
			return a.restore(c.Context(), where, "snapshot restore", tag, f.yes, func(ctx context.Context, b *labSession) error {
				return b.engine.SnapshotRestore(ctx, tag)
			})
		},
	}
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return c
}

func (a *app) snapshotDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "delete [LAB] NAME",
		Short:             "Forget what is kept under NAME",
		Long:              "Remove a snapshot of the whole lab. The lab itself stays as it is.",
		Example:           "  podium snapshot delete before-lesson-3",
		Args:              args(1, 2, "the snapshot's name"),
		ValidArgsFunction: a.completeTags,
		RunE: func(c *cobra.Command, given []string) error {
			where, tag, err := a.tagged(c, given)
			if err != nil {
				return err
			}
			known := func(b *labSession) error {
				_, err := b.snapshot(tag)
				return err
			}
			return a.change(c.Context(), where, "snapshot delete", known, func(ctx context.Context, b *labSession) (string, error) {
				return fmt.Sprintf("deleted the snapshot %q", tag), b.engine.SnapshotDelete(ctx, tag)
			})
		},
	}
}

func (a *app) snapshotListCommand() *cobra.Command {
	f := struct{ output outputFlag }{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:               "list [LAB]",
		Short:             "List what is kept",
		Long:              "List the lab's snapshots, oldest first.",
		Example:           "  podium snapshot list\n  podium snapshot list -o json",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(_ *cobra.Command, given []string) error {
			where, err := a.folder(given)
			if err != nil {
				return err
			}
			return a.listSnapshots(where, f.output)
		},
	}
	a.addOutput(c, &f.output)
	return c
}

func (a *app) listSnapshots(where labRef, o outputFlag) error {
	known, err := where.state.Load()
	if err != nil {
		return err
	}
	if o.json() {
		type entry struct {
			Name  string    `json:"name"`
			Taken time.Time `json:"taken"`
			Nodes []string  `json:"nodes"`
			Auto  bool      `json:"auto"`

			Incomplete bool `json:"incomplete"`
		}
		entries := []entry{}
		for _, s := range known.Snapshots {
			entries = append(entries, entry{s.Tag, s.Taken, s.Nodes, s.Auto, s.Incomplete})
		}
		return a.printJSON(entries)
	}
	if len(known.Snapshots) == 0 {
		fmt.Fprintln(a.stdout, "no snapshots")
		return nil
	}
	t := report.Table{Head: []string{"NAME", "TAKEN", "NODES", ""}}
	for _, s := range known.Snapshots {
		note := ""
		switch {
		case s.Incomplete:
			note = "incomplete: cut off while it was taken or deleted; delete it"
		case s.Auto:
			note = "taken by up; what reset goes back to"
		}
		t.Row(s.Tag, s.Taken.Local().Format(time.DateTime), strings.Join(s.Nodes, ","), note)
	}
	t.Write(a.stdout)
	return nil
}

// restore brings the lab back to a snapshot after asking.
func (a *app) restore(ctx context.Context, where labRef, verb, tag string, yes bool, do func(context.Context, *labSession) error) error {
	ask := func(b *labSession) error {
		which, err := b.snapshot(tag)
		if err != nil {
			return err
		}
		tag = which.Tag
		return a.confirm(ctx, yes, "%s brings all %d machines of %s back to %q of %s; what was done on them since is lost",
			verb, len(b.known.Machines), b.lab.Name, which.Tag, which.Taken.Local().Format(time.DateTime))
	}
	return a.change(ctx, where, verb, ask, func(ctx context.Context, b *labSession) (string, error) {
		return fmt.Sprintf("%s is back at %q", b.lab.Name, tag), do(ctx, b)
	})
}
