package check

import (
	"fmt"
	"strings"

	"podium/provision/wording"
)

// Result is how a check ended.
type Result string

// The five results, and that of the simulator, which cannot rehearse exercises.
const (
	Holds        Result = "holds"
	DoesNotHold  Result = "does-not-hold"
	NotYet       Result = "not-yet"     // asked again until within is over
	CannotHold   Result = "cannot-hold" // not any more, whatever is done: the exercise has to be reset
	DidNotRun    Result = "did-not-run" // connection, time, or its own fault: never costs points
	NotRehearsed Result = "not-rehearsed"
)

// Results lists them.
func Results() []Result {
	return []Result{Holds, DoesNotHold, NotYet, CannotHold, DidNotRun, NotRehearsed}
}

// Verdict is a result, and why: what was seen against what is wanted.
type Verdict struct {
	Result Result
	Why    wording.Sentence
}

// Facts is what a probe printed.
type Facts struct {
	Code int    // exit code
	Out  []byte // stdout, at most MaxOut bytes
	Err  string // the end of stderr
}

// MaxOut bounds the output of one probe, in bytes.
const MaxOut = 512 << 10

// The exit codes of a probe that mean more than failure; scripts of podium's own use the same.
const (
	codeNotYet     = 75
	codeCannot     = 78
	codeTimeout    = 124 // timeout(1)
	codeKilled     = 137
	codeNotFound   = 127
	codeNotCluster = 90 // kubeAccess: the node has no access to a cluster
)

func holds() Verdict { return Verdict{Result: Holds} }

func fails(id string, values ...any) Verdict {
	return Verdict{Result: DoesNotHold, Why: wording.Say(id, values...)}
}

func broken(id string, values ...any) Verdict {
	return Verdict{Result: DidNotRun, Why: wording.Say(id, values...)}
}

// Broken is the verdict of a check that could not be asked.
func Broken(id string, values ...any) Verdict { return broken(id, values...) }

// Decide is the verdict of a check by what its probe printed.
func (c *Check) Decide(f Facts) Verdict {
	switch {
	case f.Code == codeTimeout || f.Code == codeKilled:
		return broken("took-too-long", c.Limit())
	case len(f.Out) >= MaxOut && !c.readsPart():
		return broken("answer-too-long", fmt.Sprintf("%d KiB", MaxOut>>10))
	}
	return c.Kind().Judge(f)
}

// readsPart reports whether a kind can be judged by the beginning of an answer.
func (c *Check) readsPart() bool { return c.HTTP != nil || c.File != nil || c.Command != nil }

// unable is the verdict of a probe that failed although it never should; ok where it did not.
func unable(f Facts) (Verdict, bool) {
	switch f.Code {
	case 0:
		return Verdict{}, false
	case codeNotFound:
		return broken("tool-missing", lastLine(f.Err)), true
	case codeNotCluster:
		return broken("not-a-cluster"), true
	}
	return broken("probe-failed", f.Code, lastLine(f.Err)), true
}

// lastLine is the last line that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// text is the output without its last line ends.
func (f Facts) text() string { return strings.TrimRight(string(f.Out), "\n") }
