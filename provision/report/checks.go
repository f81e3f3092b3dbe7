package report

import (
	"io"
	"time"
)

// Case is one check for JUnit.
type Case struct {
	Name    string
	Took    time.Duration
	Failed  bool
	Skipped bool   // it did not run
	Message string // why
}

// Checks writes checks as JUnit XML, in one suite.
func Checks(w io.Writer, suite string, started time.Time, cases []Case) error {
	s := junitSuite{Name: suite, Timestamp: started.UTC().Format("2006-01-02T15:04:05"), Time: seconds(time.Since(started))}
	for _, c := range cases {
		j := junitCase{Class: suite, Name: c.Name, Time: seconds(c.Took)}
		switch {
		case c.Failed:
			j.Failure = &junitMessage{Message: c.Message}
			s.Failures++
		case c.Skipped:
			j.Skipped = &junitMessage{Message: c.Message}
			s.Skipped++
		}
		s.Tests++
		s.Cases = append(s.Cases, j)
	}
	return writeXML(w, junitSuites{Name: suite, Tests: s.Tests, Failures: s.Failures, Skipped: s.Skipped, Time: s.Time, Suites: []junitSuite{s}})
}
