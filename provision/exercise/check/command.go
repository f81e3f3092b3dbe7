package check

import (
	_ "embed"
	"strings"

	"podium/provision/wording"
)

//go:embed command.go
var commandSource string

// Command asks for the exit code and the output of a command, which runs as root and must change nothing.
type Command struct {
	Run    string `yaml:"run" jsonschema:"required"` // bash
	Exit   Value  `yaml:"exit,omitempty"`            // its exit code, or any; without it, 0
	Output *Match `yaml:"output,omitempty"`          // what it prints, errors included
}

// Faults checks the fields.
func (c *Command) Faults() []Fault {
	all := append(missing("run", c.Run, "\"uname -r\""), c.Output.faults("output")...)
	if c.Exit != "any" {
		all = append(all, whole("exit", c.Exit, 0, 255)...)
	}
	return all
}

// Probe runs it.
func (c *Command) Probe() string { return "exec 2>&1\n" + c.Run }

// Judge compares.
func (c *Command) Judge(facts Facts) Verdict {
	if c.Exit != "any" && facts.Code != c.Exit.number() {
		said := lastLine(facts.text())
		if said == "" {
			return fails("exit", brief(c.Run), facts.Code, c.Exit.number())
		}
		return fails("exit-said", brief(c.Run), facts.Code, c.Exit.number(), said)
	}
	if v, ok := c.Output.judge(wording.Say("output-of", brief(c.Run)), facts.text()); !ok {
		return v
	}
	return holds()
}

// brief is the beginning of a command.
func brief(command string) string {
	first, _, more := strings.Cut(strings.TrimSpace(command), "\n")
	if r := []rune(first); len(r) > 60 {
		first, more = string(r[:60]), true
	}
	if more {
		first += " ..."
	}
	return first
}

// Script is a check that a script in the exercise's folder makes.
type Script struct{ Text string }

// Faults finds none: what is wrong with a script is known when it runs.
func (s Script) Faults() []Fault { return nil }

// Probe is the script.
func (s Script) Probe() string { return s.Text }

// Judge goes by the exit code; the last line of the output says why, in one language or as English|Korean.
func (s Script) Judge(facts Facts) Verdict {
	said := lastLine(facts.text())
	why := wording.Say("script-silent")
	if said != "" {
		en, ko, both := strings.Cut(said, "|")
		if !both {
			ko = en
		}
		why = wording.Quote(wording.Text{EN: strings.TrimSpace(en), KO: strings.TrimSpace(ko)})
	}
	switch facts.Code {
	case 0:
		return holds()
	case 1:
		return Verdict{DoesNotHold, why}
	case codeNotYet:
		return Verdict{NotYet, why}
	case codeCannot:
		return Verdict{CannotHold, why}
	}
	if message := lastLine(facts.Err); message != "" {
		said = message
	}
	return broken("script-failed", facts.Code, said)
}

// Answer is a question that the text asks. It is answered by podium check NAME --answer CHECK=TEXT.
type Answer struct {
	Is      Value    `yaml:"is,omitempty"`      // the answer; capitals and blanks do not matter
	Any     []string `yaml:"any,omitempty"`     // several that are right
	Matches string   `yaml:"matches,omitempty"` // regular expression for right answers
	Min     Value    `yaml:"min,omitempty"`     // a number, that or more
	Max     Value    `yaml:"max,omitempty"`     // a number, that or less
	Run     string   `yaml:"run,omitempty"`     // bash that prints the answer, on the node of on
	Example string   `yaml:"example,omitempty"` // an answer that fits matches, for podium exercise prove
}

// Faults checks the fields.
func (a *Answer) Faults() []Fault {
	ways := 0
	for _, given := range []bool{a.Is != "", len(a.Any) > 0, a.Matches != "", a.Min != "" || a.Max != "", a.Run != ""} {
		if given {
			ways++
		}
	}
	all := pattern("matches", a.Matches)
	if ways == 0 {
		all = append(all, Fault{"", "", "has no right answer: write is, any, matches, min, max or run"})
	}
	if a.Matches != "" && a.Example == "" && a.Is == "" && len(a.Any) == 0 {
		all = append(all, Fault{"example", "", "is missing: write an answer that fits matches, so that podium exercise prove can give one"})
	}
	if a.Min != "" || a.Max != "" {
		all = append(all, (&Match{Min: a.Min, Max: a.Max}).faults("")...)
	}
	return all
}

// Probe prints the answer where a node knows it.
func (a *Answer) Probe() string { return a.Run }

// Judge is for what the node says alone; Grade compares it with what was answered.
func (a *Answer) Judge(facts Facts) Verdict {
	if facts.Code != 0 {
		return broken("probe-failed", facts.Code, lastLine(facts.Err))
	}
	return fails("not-answered")
}

// Grade compares an answer; it never says what is right.
func (a *Answer) Grade(given string, facts Facts) Verdict {
	if a.Run != "" && facts.Code != 0 {
		return broken("probe-failed", facts.Code, lastLine(facts.Err))
	}
	if strings.TrimSpace(given) == "" {
		return fails("not-answered")
	}
	right := append([]string{string(a.Is)}, a.Any...)
	if a.Run != "" {
		right = append(right, facts.text())
	}
	for _, r := range right {
		if same(r) != "" && same(r) == same(given) {
			return holds()
		}
	}
	if a.Matches != "" && matches(a.Matches, strings.TrimSpace(given)) {
		return holds()
	}
	if a.Min != "" || a.Max != "" {
		if _, ok := (&Match{Min: a.Min, Max: a.Max}).judge(wording.Sentence{}, given); ok {
			return holds()
		}
	}
	return fails("answer-wrong", given)
}

// same is an answer without what does not matter.
func same(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }
