package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/provision/plan"
	"podium/provision/step"
	"podium/scripts"
)

// describe reads the lab's description and makes its plan; provider takes the place of the one in it unless it is empty.
func (a *app) describe(f labRef, provider string) (plan.Plan, error) {
	a.warnings = nil
	var p plan.Plan
	_, err := lab.LoadWith(f.file, lab.LoadOptions{
		Provider: provider, Env: a.getenv, Config: a.configFile(), Steps: stepNames(),
		Check: func(l lab.Lab) (err error) { p, err = makePlan(l); return err },
		Warn:  func(p lab.Problem) { a.warnings = append(a.warnings, p) },
		Today: catalogue.DateOf(a.Now()),
	})
	if errors.Is(err, fs.ErrNotExist) && !isDescriptionError(err) {
		return plan.Plan{}, fail(exitUsage, "%w", err)
	}
	return p, err
}

// configFile is where the user's settings for all labs stand, if there are any; empty on a system that has no place for
// such.
func (a *app) configFile() string {
	if a.Config == nil {
		return ""
	}
	dir, err := a.Config()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, filepath.FromSlash(lab.ConfigFile))
}

// stepNames are the steps that a lab's own steps can come after.
func stepNames() []string {
	var names []string
	for _, s := range step.Catalogue() {
		names = append(names, s.Name)
	}
	return names
}

// makePlan lays the catalogue over a description. With names it is about those nodes, and those that they need.
func makePlan(l lab.Lab, on ...string) (plan.Plan, error) {
	return plan.Build(l, scripts.Guest(), lab.Files(l.Dir), on...)
}

// isDescriptionError reports whether lab.yaml is at fault.
func isDescriptionError(err error) bool {
	var problems lab.Problems
	return errors.As(err, &problems)
}

// problemsOf gives the places in lab.yaml that an error is about, for JSON.
func problemsOf(err error) any {
	type place struct {
		File    string `json:"file,omitempty"`
		Line    int    `json:"line,omitempty"`
		Col     int    `json:"col,omitempty"`
		Path    string `json:"path,omitempty"`
		Value   string `json:"value,omitempty"`
		Message string `json:"message"`
	}
	var problems lab.Problems
	if !errors.As(err, &problems) {
		return nil
	}
	places := make([]place, len(problems))
	for i, p := range problems {
		places[i] = place(p)
	}
	return places
}

// countProblems ends a list of problems.
func countProblems(err error) string {
	var problems lab.Problems
	errors.As(err, &problems)
	return counted(len(problems), "problem") + " in the description"
}

// counted writes "1 machine", "2 machines".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// showWarnings says what in the description is allowed but unlikely to last.
func (a *app) showWarnings() {
	for _, w := range a.warnings {
		a.warn("warning: %v", w)
	}
}
