package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/doctor"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/state"
)

const doctorLong = `Find out what stands in the way of labs with VirtualBox (or libvirt) on this computer: programs
and their versions, kernel modules, virtualisation, networks, memory, disk, leftovers. With a lab
it also checks whether this computer can carry that lab. Every finding has an ID, says what it
means, and what to do about it on this system. up runs the same checks before it makes anything.

The exit code is 3 when a finding blocks. For a lab of another provider there is nothing to check,
which is not an error.

A console of Windows shows Korean whatever its code page is. Into a pipe or a file podium writes
UTF-8, which Windows PowerShell 5 reads only after:
[Console]::OutputEncoding = [Text.Encoding]::UTF8`

func (a *app) doctorCommand() *cobra.Command {
	f := struct {
		patient
		output  outputFlag
		capture string
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:               "doctor [LAB]",
		Short:             "Check this computer for what VirtualBox and Vagrant need",
		Long:              doctorLong,
		Example:           "  podium doctor\n  podium doctor labs/k8s-basic\n  podium doctor --lang ko",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			need, arg, language, err := a.examine(f.patient, given)
			if err != nil {
				return err
			}
			if need.Lab.Provider != "" && !doctor.Covers(need.Lab.Provider) {
				if f.output.json() {
					return a.printJSON([]doctor.Finding{})
				}
				fmt.Fprintln(a.stdout, doctor.NothingToCheck(need.Lab.Provider, language))
				return nil
			}
			facts := doctor.Collect(c.Context(), need)
			if err := c.Context().Err(); err != nil {
				return err
			}
			if f.capture != "" {
				if err := writeFacts(f.capture, facts); err != nil {
					return err
				}
			}
			findings := doctor.Check(facts, need, language)
			if f.output.json() {
				if findings == nil {
					findings = []doctor.Finding{}
				}
				if err := a.printJSON(findings); err != nil {
					return err
				}
			} else {
				a.printFindings(findings, need, arg, language)
			}
			return blockedBy(findings)
		},
	}
	a.addOutput(c, &f.output)
	a.addPatient(c, &f.patient)
	c.Flags().StringVar(&f.capture, "capture", "", "also write what was found out to `file`, as JSON, for a report")
	return c
}

// patient is what doctor and setup are asked about: a lab's provider, and the language of the answer.
type patient struct{ provider, language string }

func (a *app) addPatient(c *cobra.Command, p *patient) {
	a.addProvider(c, &p.provider)
	c.Flags().StringVar(&p.language, "lang", "", "`language` of the findings, "+strings.Join(doctor.Languages(), " or ")+" (default: by the locale)")
	a.completeValues(c, "lang", doctor.Languages()...)
}

// examine gives what the lab needs, the lab's argument for hints, and the language.
func (a *app) examine(p patient, given []string) (need doctor.Need, arg, language string, err error) {
	if language, err = doctor.Language(p.language, a.getenv, doctor.SystemLanguage()); err != nil {
		return need, "", "", usage("--lang: %w", err)
	}
	need, arg, err = a.need(given, p.provider)
	return need, arg, language, err
}

// need is the lab that a doctor is asked about; without one only the programs are.
func (a *app) need(given []string, provider string) (doctor.Need, string, error) {
	where, err := a.folder(given)
	if err != nil {
		if len(given) == 0 && a.lab == "" && !errors.As(err, new(*state.ForeignError)) { // no lab here: the computer alone
			return doctor.Need{Lab: lab.Lab{Provider: provider}}, "", nil
		}
		return doctor.Need{}, "", err
	}
	b := &labSession{labRef: where}
	if provider == "" {
		b, err = a.described(where, "")
	} else { // which may be another than made the machines: nothing is changed here
		b.plan, err = a.describe(where, provider)
		b.lab = b.plan.Lab
	}
	if err != nil {
		return doctor.Need{}, "", err
	}
	need, err := a.needOf(b)
	return need, b.arg, err
}

// needOf is what a lab needs beside what it has already.
func (a *app) needOf(b *labSession) (doctor.Need, error) {
	need := doctor.Need{Lab: b.lab, Folder: b.state.Lab(), Machines: b.plan.Machines}
	made, err := a.provider(b)
	if err != nil {
		return need, err
	}
	if p, ok := made.(machine.Inventory); ok {
		need.Ports, need.IDs, err = p.Known()
	}
	return need, err
}

// preflight refuses an up that this computer cannot carry, before anything is made. skip names findings that somebody
// has decided to live with.
func (a *app) preflight(ctx context.Context, b *labSession, skip []string) error {
	known := doctor.IDs()
	for _, id := range skip {
		if !slices.Contains(known, id) {
			return usage("--skip-preflight %q: no finding has this ID", id).hinted("IDs: %s", strings.Join(known, ", "))
		}
	}
	if !doctor.Covers(b.lab.Provider) {
		return nil
	}
	need, err := a.needOf(b)
	if err != nil {
		return err
	}
	language, err := doctor.Language("", a.getenv, doctor.SystemLanguage())
	if err != nil {
		return err
	}
	facts := doctor.Collect(ctx, need)
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.bootParallel == 0 {
		b.bootParallel = doctor.BootParallel(facts, b.plan.Machines)
	}
	findings := slices.DeleteFunc(doctor.Check(facts, need, language), func(f doctor.Finding) bool {
		return f.Severity == doctor.Note || slices.Contains(skip, f.ID)
	})
	for _, f := range findings {
		a.warn("%s", formatFinding(f, language))
	}
	if blocking := doctor.Blocking(findings); len(blocking) > 0 {
		var ids []string
		for _, f := range blocking {
			ids = append(ids, f.ID)
		}
		return fail(exitPreflight, "this computer is not ready for the lab: %s", strings.Join(slices.Compact(ids), ", ")).
			hinted("%sto go on all the same: --skip-preflight %s", a.rehearsal(b), strings.Join(slices.Compact(ids), ","))
	}
	return nil
}

// rehearsal is the way to try a lab on a computer without a hypervisor; empty for a lab that has machines.
func (a *app) rehearsal(b *labSession) string {
	if madeBy(b.known) != "" {
		return ""
	}
	return fmt.Sprintf("to rehearse the lab without virtual machines: podium up%s --provider sim\n", b.arg)
}

// printFindings writes findings for people.
func (a *app) printFindings(findings []doctor.Finding, need doctor.Need, arg, language string) {
	for _, f := range findings {
		fmt.Fprintln(a.stdout, formatFinding(f, language))
	}
	fmt.Fprintln(a.stdout, doctor.Verdict(findings, need, "podium up"+arg, language))
}

// formatFinding is a finding in a few lines.
func formatFinding(f doctor.Finding, language string) string {
	return fmt.Sprintf("%s [%s] %s\n    %s\n    -> %s", f.Severity.In(language), f.ID, f.Title, f.Meaning, f.Fix)
}

// writeFacts keeps captured facts.
func writeFacts(path string, facts doctor.Facts) error {
	text, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write what was found out: %w", err)
	}
	return nil
}
