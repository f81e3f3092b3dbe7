package provision_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// banned are words that make a message or a comment harder to read for somebody who learned English from manuals, and
// what to write instead.
var banned = []struct {
	word    *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?i)\banew\b`), "again, recreate, restart"},
	{regexp.MustCompile(`(?i)\bwhoever\b`), "the caller, the user, the podium that ..."},
	{regexp.MustCompile(`(?i)\bnobody knows\b`), "is unknown"},
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), "fix, repair"},
	{regexp.MustCompile(`(?i)\bset(s)? right\b`), "repair"},
	{regexp.MustCompile(`(?i)\bhardly\b`), "rarely, unlikely"},
	{regexp.MustCompile(`(?i)\bfor ever\b`), "without end"},
	// "there is no" is fine; "X is no version" is not.
	{regexp.MustCompile(`(?i)\b(that|which|it|file|line|%[qsv]|\$\w+) is no \w+`), "is not a ..."},
}

// TestWords reads every message, comment and document of the project, but for test data.
func TestWords(t *testing.T) {
	extensions := []string{".go", ".sh", ".md", ".tmpl", ".yaml", ".yml"}
	err := filepath.WalkDir("..", func(file string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git" || d.Name() == ".podium" || d.Name() == "dist"):
			return filepath.SkipDir
		case d.IsDir() || d.Name() == "words_test.go" || !hasSuffix(file, extensions):
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, b := range banned {
				found := b.word.FindString(line)
				if found == "" || strings.Contains(found, "no longer") {
					continue
				}
				t.Errorf("%s:%d: %q: write %s", file, i+1, found, b.instead)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func hasSuffix(file string, extensions []string) bool {
	for _, e := range extensions {
		if strings.HasSuffix(file, e) {
			return true
		}
	}
	return false
}
