package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"podium/provision/catalogue/audit"
)

// AuditJUnit writes a look at the catalogue as JUnit XML, a case for each fact: what is rotten fails, what nobody could be
// asked about is skipped, and a warning passes with its text as output.
func AuditJUnit(w io.Writer, results []audit.Result, now time.Time) error {
	suite := junitSuite{Name: "podium.catalog", Timestamp: now.UTC().Format("2006-01-02T15:04:05")}
	var took time.Duration
	for _, r := range results {
		took += r.Took
		c := junitCase{Class: suite.Name, Name: r.Subject, Time: seconds(r.Took)}
		if r.URL != "" {
			c.Name += " " + r.URL
		}
		switch r.Outcome {
		case audit.Rotten:
			c.Failure = &junitMessage{Message: r.Message, Text: r.URL}
			suite.Failures++
		case audit.Unasked:
			c.Skipped = &junitMessage{Message: r.Message}
			suite.Skipped++
		case audit.Warning:
			c.Output = "warning: " + r.Message
		}
		suite.Tests++
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = seconds(took)
	all := junitSuites{Name: suite.Name, Tests: suite.Tests, Failures: suite.Failures, Skipped: suite.Skipped, Time: suite.Time, Suites: []junitSuite{suite}}
	if err := writeXML(w, all); err != nil {
		return fmt.Errorf("write the look at the catalogue as JUnit: %w", err)
	}
	return nil
}

// writeXML writes an XML file.
func writeXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
