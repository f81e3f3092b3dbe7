package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"podium/provision/engine"
)

// The elements of JUnit's XML that CI servers agree on; see https://github.com/testmoapp/junitxml.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"` // seconds
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the run as JUnit XML: a suite for each node, a case for each task. What was done before passes; what
// was not reached is skipped.
func JUnit(w io.Writer, s engine.Summary) error {
	all := junitSuites{Name: s.Lab, Time: seconds(s.Duration)}
	failures := failuresByID(s)
	for _, node := range s.Nodes {
		suite := junitSuite{Name: s.Lab + "." + node.Name, Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05"), Time: seconds(spent(s, node.Name))}
		for _, t := range s.Tasks {
			if t.Node != node.Name {
				continue
			}
			c := junitCase{Class: s.Lab + "." + t.Node, Name: t.Step, Time: seconds(t.Duration)}
			switch t.Outcome {
			case engine.Failed:
				c.Failure = failureMessage(failures[string(t.ID)])
				suite.Failures++
			case engine.Blocked, engine.Cancelled, engine.NotRehearsed:
				c.Skipped = &junitMessage{Message: strings.TrimSuffix(string(t.Outcome)+": "+t.Reason, ": ")}
				suite.Skipped++
			}
			suite.Tests++
			suite.Cases = append(suite.Cases, c)
		}
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	return writeXML(w, all)
}

func failureMessage(f *engine.TaskError) *junitMessage {
	if f == nil {
		return &junitMessage{Message: "failed"}
	}
	var text strings.Builder
	for _, line := range f.Last {
		fmt.Fprintln(&text, Clean(line))
	}
	if f.Hint != "" {
		fmt.Fprintf(&text, "hint: %s\n", f.Hint)
	}
	if f.Log != "" {
		fmt.Fprintf(&text, "log: %s\n", f.Log)
	}
	return &junitMessage{Message: firstLine(f.Err), Text: text.String()}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
