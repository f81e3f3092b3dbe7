package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/doctor"
)

const setupLong = `Install what podium doctor misses: VirtualBox and Vagrant, or libvirt, by this system's own package
manager (winget, Homebrew, apt or dnf). It shows the commands first and runs them only after asking;
--print only shows them. What no command can do, such as turning virtualisation on in the firmware,
is listed with what to do by hand. Afterwards this computer is checked once more.

The exit code is 3 while something still stands in the way.`

func (a *app) setupCommand() *cobra.Command {
	f := struct {
		patient
		print, yes bool
	}{}
	c := &cobra.Command{
		Use:               "setup [LAB]",
		Short:             "Install what this computer lacks for VirtualBox and Vagrant",
		Long:              setupLong,
		Example:           "  podium setup\n  podium setup --print",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			need, arg, language, err := a.examine(f.patient, given)
			if err != nil {
				return err
			}
			if need.Lab.Provider != "" && !doctor.Covers(need.Lab.Provider) {
				fmt.Fprintln(a.stdout, doctor.NothingToCheck(need.Lab.Provider, language))
				return nil
			}
			return a.setup(c.Context(), need, arg, language, f.print, f.yes)
		},
	}
	a.addPatient(c, &f.patient)
	c.Flags().BoolVar(&f.print, "print", false, "show the commands and run nothing")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return c
}

// setup shows what would be run, asks, runs it and checks again.
func (a *app) setup(ctx context.Context, need doctor.Need, arg, language string, printOnly, yes bool) error {
	findings := doctor.Check(doctor.Collect(ctx, need), need, language)
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	remedies, byHand := doctor.Setup(findings, doctor.FindSystem())
	for _, f := range byHand {
		fmt.Fprintln(a.stdout, formatFinding(f, language))
	}
	for _, r := range remedies {
		fmt.Fprintf(a.stdout, "# %s\n", r.Finding)
		for _, command := range r.Commands {
			fmt.Fprintln(a.stdout, command)
		}
	}
	if printOnly || len(remedies) == 0 {
		fmt.Fprintln(a.stdout, doctor.Verdict(findings, need, "podium up"+arg, language))
		return blockedBy(findings)
	}
	if err := a.confirm(ctx, yes, "setup runs the commands above"); err != nil {
		return err
	}
	for _, r := range remedies {
		for _, command := range r.Commands {
			fmt.Fprintf(a.stderr, "+ %s\n", command)
			if err := a.runOnHost(ctx, command); err != nil {
				return fail(exitFailed, "%s: %w", command, err).hinted("run it by hand to see more, then: podium setup")
			}
		}
	}
	findings = doctor.Check(doctor.Collect(ctx, need), need, language)
	a.printFindings(findings, need, arg, language)
	return blockedBy(findings)
}

// blockedBy is exit code 3 while a finding blocks.
func blockedBy(findings []doctor.Finding) error {
	if len(doctor.Blocking(findings)) > 0 {
		return exitStatus(exitPreflight)
	}
	return nil
}

// runOnHost runs one of setup's commands in the user's terminal. On Windows they are plain programs with arguments, as
// no shell that every Windows has reads them alike.
func (a *app) runOnHost(ctx context.Context, command string) error {
	c := exec.CommandContext(ctx, "sh", "-c", command)
	if runtime.GOOS == "windows" {
		words := strings.Fields(command)
		c = exec.CommandContext(ctx, words[0], words[1:]...)
	}
	c.Stdin, c.Stdout, c.Stderr = a.Stdin, a.Stdout, a.Stderr
	return c.Run()
}
