package scripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// realBash is bash as nodes have it; the simulator's differs where it matters here.
func realBash(t *testing.T) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped: needs bash: apt-get install bash")
	}
	return bash
}

// runGuest runs bash text behind files of scripts/guest/lib, with what podium keeps on a node in a folder of the test's.
func runGuest(t *testing.T, keep, text string, libraries ...string) (stdout, stderr string, err error) {
	t.Helper()
	var script strings.Builder
	for _, name := range libraries {
		library, err := os.ReadFile(filepath.Join("guest", "lib", name))
		if err != nil {
			t.Fatal(err)
		}
		script.WriteString(strings.ReplaceAll(string(library), "keep=/var/lib/podium", "keep="+keep))
	}
	script.WriteString(text)
	var out, errs strings.Builder
	c := exec.Command(realBash(t), "-c", script.String(), "test.sh")
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

func TestFullDiskIsExplained(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("skipped: needs /dev/full: run it on Linux")
	}
	for name, test := range map[string]struct {
		text  string
		times int
	}{
		"a command":                       {"false", 1},
		"a function":                      {"f() { false; }; f", 1},
		"a function in a function":        {"f() { false; }; g() { f; }; g", 1},
		"a function of the library":       {"write_file 0644 /dev/full/x/y <<<text", 1},
		"a substitution":                  {"f() { x=$(false); }; f", 1},
		"a function in a substitution":    {"f() { false; }; x=$(f)", 1},
		"a subshell":                      {"f() { (false); }; f", 1},
		"a pipeline":                      {"f() { false | cat; }; f", 1},
		"a failure that is taken well":    {"f() { false; }; f || true; x=$(f) || true; if f; then :; fi; (f) || true", 0},
		"a failure in a list of commands": {"f() { x=$(false; true); }; f", 0},
	} {
		t.Run(name, func(t *testing.T) {
			keep := t.TempDir()
			if err := os.Symlink("/dev/full", filepath.Join(keep, "disk-test")); err != nil {
				t.Fatal(err)
			}
			_, stderr, err := runGuest(t, keep, test.text, "step.sh")
			if failed := err != nil; failed != (test.times > 0) {
				t.Errorf("ended with %v", err)
			}
			if got := strings.Count(stderr, "the disk of this node is full"); got != test.times {
				t.Errorf("the full disk is explained %d times, want %d:\n%s", got, test.times, stderr)
			}
		})
	}
}

// A step does not begin where the runner can write nothing: it says so before any script could.
func TestRunnerExplainsWhatItCannotWrite(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("guest", "lib", "runner.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(home string) error{
		"its folders":   func(home string) error { return os.WriteFile(home, nil, 0o600) },
		"the step lock": func(home string) error { return os.MkdirAll(filepath.Join(home, "run", "docker.lock"), 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "home")
			if err := spoil(home); err != nil {
				t.Fatal(err)
			}
			var stderr strings.Builder
			const bundle = "# end of bundle"
			c := exec.Command(realBash(t), "-c", string(text), "podium-run", "15", "docker")
			c.Env = append(os.Environ(), "PODIUM_HOME="+home)
			c.Stdin, c.Stderr = strings.NewReader(bundle), &stderr
			if err := c.Run(); err == nil {
				t.Error("the runner succeeded")
			}
			if !strings.Contains(stderr.String(), "nothing can be written to "+home+": is the disk full?") {
				t.Errorf("the runner says %q", stderr.String())
			}
		})
	}
}
