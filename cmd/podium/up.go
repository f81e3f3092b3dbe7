package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/engine"
	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/report"
)

const upLong = `Make the lab, or bring it up to date: boot what does not run, then run on each node the steps that
are missing or have changed. Steps that are done are left alone, so up can be run again at any time,
also after Ctrl-C or a failure.

A node that lab.yaml has no more is reported and kept; --prune drains it, takes it out of the
cluster and removes its machine. A newer kubernetes.version upgrades the cluster, one node at a
time.

On a terminal up shows each node's progress in place; otherwise, and with CI or TERM=dumb, plain
lines with the time. -o json writes every event as one line of JSON, the last one a summary. When
the reader of the output leaves (podium up | head), up goes on; .podium/journal.ndjson has it all.

With --on or --role only these nodes are started and provisioned, with those that they need: a node
of a cluster needs its control planes and etcd. The others stay as they are; podium up without --on
brings in the rest later.

After its first complete success up halts the lab for a moment and takes the snapshot "ready", which
reset goes back to; --no-baseline leaves that out.`

type upFlags struct {
	output     outputFlag
	provider   string
	parallel   int
	noBaseline bool
	force      []string
	on         selection
	simFile    string
	junit      string
	verbose    bool
	prune      bool
	yes        bool

	bootParallel int
	fastBoot     bool
	skip         []string
}

func (a *app) upCommand() *cobra.Command {
	f := upFlags{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:   "up [LAB]",
		Short: "Make the lab, or bring it up to date",
		Long:  upLong,
		Example: `  podium up
  podium up labs/k8s-basic --provider sim     # a rehearsal without virtual machines
  podium up --force jenkins                   # run a step again although it is done
  podium up --force w1/kubeadm-join --force "w2/*"
  podium up --on cp,w1                        # a part of the lab, for a computer with little memory
  podium up --prune                           # remove nodes that lab.yaml has no more
  podium up -o json --junit report.xml        # for CI`,
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			if err := atLeastOne(c, "parallel", "boot-parallel"); err != nil {
				return err
			}
			where, err := a.labOf(c, given)
			if err != nil {
				return err
			}
			if f.on.given() && f.prune {
				return usage("--prune is for the whole lab: leave --on and --role out")
			}
			return a.up(c.Context(), where, f)
		},
	}
	a.addOutput(c, &f.output)
	a.addProvider(c, &f.provider)
	a.addSelection(c, &f.on)
	flags := c.Flags()
	flags.IntVar(&f.parallel, "parallel", 0, fmt.Sprintf("`number` of tasks at once, boots included (default %d)", engine.DefaultParallel))
	flags.BoolVar(&f.noBaseline, "no-baseline", false, "take no snapshot after the first success")
	flags.StringArrayVar(&f.force, "force", nil, "run `STEP`, NODE/STEP or NODE/* again although it is done (can be repeated)")
	flags.StringVar(&f.simFile, "sim-file", "", "`file` with boot times and faults for the provider sim")
	flags.IntVar(&f.bootParallel, "boot-parallel", 0, "`number` of machines that boot at once in VirtualBox or libvirt (default: by processors and memory)")
	flags.BoolVar(&f.fastBoot, "fast-boot", false, "have Vagrant make the first VirtualBox machine only: podium clones the others itself, which saves Vagrant's time for each")
	flags.Bool("vagrant-only", true, "")
	_ = flags.MarkDeprecated("vagrant-only", "it is the default; --fast-boot is the opposite") // it exists
	flags.StringSliceVar(&f.skip, "skip-preflight", nil, "go on although the doctor's finding with this `ID` blocks (can be repeated)")
	flags.StringVar(&f.junit, "junit", "", "also write the result as JUnit XML to `file`")
	flags.BoolVar(&f.prune, "prune", false, "take nodes that lab.yaml has no more out of the cluster, and remove their machines")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask before nodes are removed")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "plain lines with all output of the steps")
	a.completeTasks(c, "force")
	completeFlag(c, "skip-preflight", completeFindings)
	return c
}

// up makes the lab.
func (a *app) up(ctx context.Context, where labRef, f upFlags) error {
	b, err := a.described(where, f.provider)
	if err != nil {
		return err
	}
	if err := a.narrow(b, f.on); err != nil {
		return err
	}
	if where.above {
		a.warn("no lab in this folder: going on with %s, the lab %s", b.file, b.lab.Name)
	}
	a.showWarnings()
	if f.junit != "" { // not after an hour's work
		if err := os.WriteFile(f.junit, nil, 0o644); err != nil {
			return usage("--junit: %w", err)
		}
	}
	b.simFile, b.bootParallel, b.fastBoot = f.simFile, f.bootParallel, f.fastBoot
	unlock, err := a.lock(ctx, where, "up")
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.preflight(ctx, b, f.skip); err != nil {
		return err
	}
	if err := a.equip(b, 0); err != nil {
		return err
	}
	if err := b.ownKey(); err != nil {
		return err
	}
	b.engine.Parallel = f.parallel
	if f.prune {
		if err := a.confirmPrune(ctx, b, f.yes); err != nil {
			return err
		}
	}
	summary, err := a.runUp(ctx, b, f)
	return a.concludeUp(b, f, summary, err)
}

// confirmPrune asks before nodes are removed.
func (a *app) confirmPrune(ctx context.Context, b *labSession, yes bool) error {
	names, err := b.engine.Surplus(ctx)
	if err != nil || len(names) == 0 {
		return err
	}
	return a.confirm(ctx, yes, "--prune takes %s out of lab %s and removes the machines with all they hold", strings.Join(names, ", "), b.lab.Name)
}

// runUp runs the engine while its events are shown.
func (a *app) runUp(ctx context.Context, b *labSession, f upFlags) (engine.Summary, error) {
	sink, done := a.watch(b, f)
	defer done()
	b.engine.Sink = sink
	return b.engine.Up(ctx, engine.UpOptions{Baseline: !f.noBaseline, Force: f.force, Prune: f.prune})
}

// watch chooses how a run is shown; done ends it.
func (a *app) watch(b *labSession, f upFlags) (sink event.Sink, done func()) {
	switch {
	case f.output.json():
		return report.NDJSON(a.stdout), func() {}
	case a.screen.live && !f.verbose:
		view := a.startLive(b.plan, title(b.lab))
		return view, func() { view.Close(a) }
	}
	return report.Lines(a.stdout, f.verbose), func() {}
}

// title is the lab's name with its provider.
func title(l lab.Lab) string {
	if l.Provider == lab.ProviderSim {
		return l.Name + " (simulated)"
	}
	return fmt.Sprintf("%s (%s)", l.Name, l.Provider)
}

// concludeUp shows the summary and decides the exit code.
func (a *app) concludeUp(b *labSession, f upFlags, s engine.Summary, err error) error {
	if len(s.Tasks) > 0 {
		if f.output.json() {
			if err := report.JSON(a.stdout, s); err != nil {
				a.log.Warn("summary", "error", err)
			}
		} else {
			report.Text(a.stdout, s, report.Options{LabArg: b.arg, Width: a.screen.width, Color: a.screen.color})
		}
		if f.junit != "" {
			if junitErr := writeJUnit(f.junit, s); junitErr != nil {
				return fail(exitFailed, "%w", junitErr)
			}
		}
	}
	if canceled(err) {
		return fail(exitInterrupted, "interrupted: what is done is kept").hinted("go on with: podium up%s", b.arg)
	}
	if err == nil || len(s.Failures) == 0 {
		return err
	}
	var names []string
	for _, failure := range s.Failures {
		names = append(names, string(failure.ID))
	}
	return fail(exitFailed, "%s is not ready: failed: %s", s.Lab, shortList(names, 5))
}

// shortList joins the first names.
func shortList(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// writeJUnit writes the report for a CI server.
func writeJUnit(path string, s engine.Summary) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	if err := report.JUnit(f, s); err != nil {
		_ = f.Close()
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	return nil
}
