package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"podium/provision/catalogue"
)

// catalogRun runs podium in this process, at a day on which nothing of the catalogue had ended that is here.
func catalogRun(t *testing.T, environ []string, words ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(environment{
		Args: words, Environ: environ, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Now: func() time.Time { return time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) },
	})
	return code, stdout.String(), stderr.String()
}

// TestCatalogCheckOfAMirror checks a mirror that has Jenkins' archive without its key, then with something that is none.
func TestCatalogCheckOfAMirror(t *testing.T) {
	files := map[string]string{"/jenkins/debian-stable/Release": "Origin: Jenkins\n"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	environ := []string{"PODIUM_MIRROR_JENKINS=" + server.URL + "/jenkins"}

	code, out, errs := catalogRun(t, environ, "catalog", "check", "jenkins")
	if code != 1 || !strings.Contains(out, "rotten   key of jenkins (mirror): is gone: the server says 404 Not Found") || errs != "" {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if strings.Contains(out, "/debian-stable/Release") || !strings.Contains(out, "1 good, ") {
		t.Errorf("what is good is shown without being asked for:\n%s", out)
	}

	files["/jenkins/debian-stable/jenkins.io-2026.key"] = "<html>"
	code, out, _ = catalogRun(t, environ, "catalog", "check", "jenkins", "-o", "json")
	var results []struct{ Subject, URL, Outcome, Message string }
	if err := json.Unmarshal([]byte(out), &results); err != nil || code != 1 || len(results) != 2 {
		t.Fatalf("code %d, %v\n%s", code, err, out)
	}
	if results[0].Outcome != "good" || results[1].Outcome != "rotten" || !strings.Contains(results[1].Message, "is not a key") {
		t.Errorf("%+v", results)
	}

	code, out, _ = catalogRun(t, environ, "catalog", "check", "jenkins", "-o", "junit")
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal([]byte(out), &suites); err != nil || code != 1 || suites.Tests != 2 || suites.Failures != 1 {
		t.Errorf("code %d, %v, %+v\n%s", code, err, suites, out)
	}
}

// TestCatalogCheckOffline: one line, and exit code 3.
func TestCatalogCheckOffline(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	gone := server.URL
	server.Close()
	code, out, _ := catalogRun(t, []string{"PODIUM_MIRROR_JENKINS=" + gone}, "catalog", "check", "jenkins")
	if code != 3 || !strings.Contains(out, "This computer reaches 0 of the 1 hosts only: it has no network, or needs a proxy") || strings.Count(out, "\n") != 2 {
		t.Errorf("code %d\n%s", code, out)
	}
}

func TestCatalogFilters(t *testing.T) {
	_, out, _ := catalogRun(t, nil, "catalog", "-o", "json", "flannel")
	var c catalogue.Catalogue
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Components) != 1 || len(c.Sources) != 1 || c.Sources[0].Name != "github" || len(c.Sets) != len(catalogue.All().Sets) || c.Dead != nil {
		t.Errorf("%s", out)
	}
	for _, component := range catalogue.All().Components {
		code, out, _ := catalogRun(t, nil, "catalog", component.Name)
		if code != 0 || !strings.HasPrefix(out, component.Name+": ") || !strings.Contains(out, component.From) {
			t.Errorf("catalog %s: code %d\n%s", component.Name, code, out)
		}
	}
}
