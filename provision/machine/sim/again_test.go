package sim_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/labs"
	"podium/provision/engine"
	"podium/provision/plan"
)

// work is what a script says when it changes something.
var work = regexp.MustCompile(`^(writing|installing|starting|restarting|removing|masking|turning|taking|keeping|dropping|pulling|the node is called|undoing) ?`)

// listing is every file that scripts change, with its content.
const listing = `shopt -s nullglob dotglob
see() { for f in "$1"/*; do if [[ -L $f ]]; then ls -l "$f" | cut -d'>' -f2; elif [[ -d $f ]]; then see "$f"; else sha256sum "$f"; fi; done; }
for dir in /etc /usr /opt /root /home /var/lib/dpkg /var/lib/kubelet /var/lib/grafana /var/lib/jenkins; do see $dir; done; systemctl list-units --all; systemctl list-unit-files`

// TestScriptsAgain runs every script of every lab once more on nodes that are ready: nothing changes.
func TestScriptsAgain(t *testing.T) {
	texts := map[string]string{}
	for _, name := range labs.Names() {
		texts[name] = builtin(t, name)
	}
	maps.Copy(texts, otherLabs())
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if slices.Contains(labs.Names(), name) { // what its own steps need
				if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "..", "labs", name))); err != nil {
					t.Fatal(err)
				}
			}
			e, _ := engineIn(t, dir, text, "")
			up(t, e)
			before := everything(t, e)
			againChangesNothing(t, e)
			for node, files := range everything(t, e) {
				if diff := cmp.Diff(strings.Split(before[node], "\n"), strings.Split(files, "\n")); diff != "" {
					t.Errorf("%s differs after every script was run again:\n%s", node, diff)
				}
			}
		})
	}
}

// againChangesNothing runs every script again; none may say that it changes something.
func againChangesNothing(t *testing.T, e *engine.Engine) {
	t.Helper()
	var steps []string
	for _, task := range e.Plan.Tasks {
		if task.Step != plan.StepBoot {
			steps = append(steps, string(task.ID))
		}
	}
	s, err := e.Up(t.Context(), engine.UpOptions{Force: steps})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range s.Tasks {
		if task.Step == plan.StepBoot || task.Outcome == engine.NotRehearsed {
			continue
		}
		if task.Outcome != engine.Done {
			t.Errorf("%s was not run again: %s", task.ID, task.Outcome)
		}
		log, err := os.ReadFile(e.Dir.Path("logs", task.Node, task.Step+".log"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(log)) {
			if work.MatchString(line) {
				t.Errorf("%s, run again, says: %s", task.ID, line)
			}
		}
	}
}

// everything lists the files of all nodes.
func everything(t *testing.T, e *engine.Engine) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, m := range e.Plan.Machines {
		h := connect(t, e, m.Name)
		out, errs, code := run(t, h, listing)
		if code != 0 && !strings.Contains(errs, "/") || out == "" {
			t.Fatalf("%s: code %d: %s", m.Name, code, errs)
		}
		files[m.Name] = out
	}
	return files
}
