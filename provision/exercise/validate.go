package exercise

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/exercise/check"
	"podium/provision/lab"
	"podium/provision/wording"
)

// validator collects what is wrong with an exercise.
type validator struct {
	exercise *Exercise
	lab      lab.Lab
	at       lab.Positions
	problems lab.Problems
	names    []string // of all exercises
}

func (v *validator) bad(path, value, message string, args ...any) {
	if p, ok := v.at.Problem(path, value, fmt.Sprintf(message, args...)); ok {
		v.problems = append(v.problems, p)
	}
}

func (v *validator) all() {
	e := v.exercise
	if fault := lab.NameFault(e.Name, "first-container"); fault != "" {
		v.bad("", "", "the folder's name %q %s", e.Name, fault)
	}
	v.text("title", e.Title)
	if e.Minutes.N < 1 {
		v.bad("minutes", "", "is missing: write how long it takes, such as 15")
	}
	if e.Level.N > 3 {
		v.bad("level", fmt.Sprint(e.Level.N), "is not a level: write 1, 2 or 3")
	}
	v.never("rehearse", e.Rehearse)
	v.needs()
	v.vars()
	for field, list := range e.runs() {
		for i, s := range list {
			v.run(fmt.Sprintf("%s[%d]", field, i), field, s)
		}
	}
	v.checks()
	for i, h := range e.Hints {
		path := fmt.Sprintf("hints[%d]", i)
		v.text(path+".text", h.Text)
		v.known(path+".when", h.When)
	}
	for i, name := range e.Symptom {
		v.known(fmt.Sprintf("symptom[%d]", i), name)
	}
	if e.Breaks && len(e.Setup) == 0 {
		v.bad("breaks", "", "needs setup: write which script breaks the lab")
	}
	if len(e.Symptom) > 0 && !e.Breaks {
		v.bad("symptom", "", "is for exercises that break the lab: write breaks: true too")
	}
}

// text checks a text in both languages.
func (v *validator) text(path string, t wording.Text) {
	for _, in := range wording.Languages() {
		text := map[string]string{wording.English: t.EN, wording.Korean: t.KO}[in]
		if strings.TrimSpace(text) == "" {
			v.bad(path+"."+in, "", "is missing: write it in both languages, as {en: ..., ko: ...}")
		}
		v.fillable(path+"."+in, text)
	}
}

// never checks a field that can only be false.
func (v *validator) never(path string, b *bool) {
	if b != nil && *b {
		v.bad(path, "true", "says nothing: write false, or leave it out")
	}
}

// known checks the name of a check.
func (v *validator) known(path, name string) {
	names := v.exercise.CheckNames()
	if name == "" || slices.Contains(names, name) {
		return
	}
	v.bad(path, name, "is not one of checks: %s", suggestion(name, names))
}

// suggestion says what was meant, or what there is.
func suggestion(name string, names []string) string {
	if near := lab.Nearest(name, names, len(name)/3+1); near != "" {
		return "did you mean " + near + "?"
	}
	return "write one of " + strings.Join(names, ", ")
}

func (v *validator) needs() {
	n := v.exercise.Needs
	for i, name := range n.Exercises {
		path := fmt.Sprintf("needs.exercises[%d]", i)
		switch {
		case name == v.exercise.Name:
			v.bad(path, name, "is the exercise itself: leave it out")
		case !slices.Contains(v.names, name):
			v.bad(path, name, "is not an exercise of this lab: %s", suggestion(name, v.names))
		}
	}
	for i, role := range n.Roles {
		if !slices.Contains(lab.Roles(), role) {
			v.bad(fmt.Sprintf("needs.roles[%d]", i), role, "%s", lab.ChoiceFault(role, lab.Roles()))
		}
	}
	for i, addon := range n.Addons {
		if !slices.Contains(lab.Addons(), addon) {
			v.bad(fmt.Sprintf("needs.addons[%d]", i), addon, "%s", lab.ChoiceFault(addon, lab.Addons()))
		}
	}
	if _, _, ok := versionNeed(n.Kubernetes); n.Kubernetes != "" && !ok {
		v.bad("needs.kubernetes", n.Kubernetes, `is not a need: write one such as ">=1.29"`)
	}
}

// target checks where something runs: a node, a role or all.
func (v *validator) target(path, on string) {
	if on == "" || on == "all" || slices.Contains(lab.Roles(), on) {
		return
	}
	words := append([]string{"all"}, lab.Roles()...)
	for _, m := range lab.Machines(v.lab) {
		if m.Name == on {
			return
		}
		words = append(words, m.Name)
	}
	if _, isVar := v.exercise.Vars[strings.Trim(on, "{}")]; isVar {
		return
	}
	v.bad(path, on, "is neither a node of this lab nor a role: %s", suggestion(on, words))
}

func (v *validator) run(path, field string, s Script) {
	if s.Run == "" {
		v.bad(path+".run", "", "is missing: write the name of a script in the exercise's folder, such as solve.sh")
	}
	v.target(path+".on", s.On)
	if s.As != "" && s.As != "root" && s.As != "user" {
		v.bad(path+".as", s.As, "is not known: write root or user")
	}
	v.duration(path+".timeout", s.Timeout, time.Hour)
	if len(s.Fails) > 0 && field != "wrong" {
		v.bad(path+".fails", "", "is for the attempts in wrong: leave it out")
	}
	for i, name := range s.Fails {
		v.known(fmt.Sprintf("%s.fails[%d]", path, i), name)
	}
}

func (v *validator) duration(path, text string, most time.Duration) {
	if text == "" {
		return
	}
	if d, err := time.ParseDuration(text); err != nil || d < time.Second || d > most {
		v.bad(path, text, "is not a time from 1s to %g minutes: write one such as 60s", most.Minutes())
	}
}

func (v *validator) checks() {
	e := v.exercise
	switch {
	case len(e.Checks) == 0:
		v.bad("checks", "", "is empty: nothing to hold would always pass: write at least one")
	case len(e.Checks) > maxChecks:
		v.bad("checks", "", "has %d entries, more than %d", len(e.Checks), maxChecks)
		return
	}
	seen := map[string]bool{}
	for i := range e.Checks {
		c, path := &e.Checks[i], fmt.Sprintf("checks[%d]", i)
		if fault := lab.NameFault(c.Name, "pods-answer"); fault != "" {
			v.bad(path+".name", c.Name, "%s", fault)
		} else if seen[c.Name] {
			v.bad(path+".name", c.Name, "is the name of an earlier check too: choose another")
		}
		seen[c.Name] = true
		v.text(path+".title", c.Title)
		v.target(path+".on", c.On)
		v.duration(path+".within", c.Within, 30*time.Minute)
		v.duration(path+".timeout", c.Timeout, 2*time.Minute)
		v.never(path+".rehearse", c.Rehearse)
		v.kind(path, c)
	}
}

// kind checks that a check has one kind, and that kind's fields with values filled in.
func (v *validator) kind(path string, c *check.Check) {
	names, _ := c.Kinds()
	switch len(names) {
	case 0:
		v.bad(path, "", "has no kind: write one of %s", strings.Join(check.KindNames(), ", "))
		return
	case 1:
	default:
		v.bad(path+"."+names[1], "", "is a second kind beside %s: write a check each", names[0])
		return
	}
	for _, text := range stringsOf(c) {
		v.fillable(path, text)
	}
	filled := Fill(*c, v.sample())
	for _, f := range filled.Kind().Faults() {
		at := strings.TrimSuffix(path+"."+names[0]+"."+f.Path, ".")
		v.bad(at, f.Value, "%s", f.Message)
	}
	for field, text := range map[string]string{"command.run": commandOf(&filled), "answer.run": answerOf(&filled)} {
		if fault := bashFault(text); fault != "" {
			v.bad(path+"."+field, "", "is not bash: %s", fault)
		}
	}
}

func commandOf(c *check.Check) string {
	if c.Command == nil {
		return ""
	}
	return c.Command.Run
}

func answerOf(c *check.Check) string {
	if c.Answer == nil {
		return ""
	}
	return c.Answer.Run
}

// bashFault says what bash would not understand; empty when it is bash.
func bashFault(text string) string {
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	var wrong syntax.ParseError
	switch {
	case errors.As(err, &wrong):
		return fmt.Sprintf("line %d: %s", wrong.Pos.Line(), wrong.Text)
	case err != nil:
		return err.Error()
	}
	return ""
}

// unix takes away what editors of Windows add.
func unix(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
}

// circles reports exercises that need each other.
func circles(l lab.Lab, all []Exercise) lab.Problems {
	needs := map[string][]string{}
	for _, e := range all {
		needs[e.Name] = e.Needs.Exercises
	}
	var problems lab.Problems
	state := map[string]int{}
	var visit func(name string) bool
	visit = func(name string) bool {
		state[name] = 1
		for _, n := range needs[name] {
			if state[n] == 1 || state[n] == 0 && visit(n) {
				return true
			}
		}
		state[name] = 2
		return false
	}
	for _, e := range all {
		if state[e.Name] == 0 && visit(e.Name) {
			problems = append(problems, lab.Problem{
				File: e.file(FileName), Path: "needs.exercises", Message: "closes a circle of exercises that need each other: leave one out",
			})
			break
		}
	}
	return problems
}

var versionNeedForm = regexp.MustCompile(`^(>=|<)\s*(\d+\.\d+)$`)

// versionNeed parts ">=1.29".
func versionNeed(text string) (operator, version string, ok bool) {
	m := versionNeedForm.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}
