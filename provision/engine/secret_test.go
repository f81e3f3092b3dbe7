//go:build !windows

package engine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A step that prints a secret, before it reports it or after, and ends well or fails: nothing that podium keeps holds it.
func TestRealNodeSecretOfTheSameRun(t *testing.T) {
	for name, end := range map[string]string{"done": "true", "failed": "exit 3", "failed of itself": "false"} {
		t.Run(name, func(t *testing.T) {
			r := newRealNode(t)
			e, _ := r.engine(t, oneStep(`
echo "made the password hunter22-longer" >&2
echo "secret_work_password=hunter22-longer" >>"$PODIUM_FACTS"
printf 'the password is hunter22-longer'
`+end))
			s, err := e.Up(context.Background(), UpOptions{})
			if (err != nil) != (end != "true") {
				t.Fatalf("up gives %v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), "n1/work") || strings.Contains(err.Error(), "hunter22")) {
				t.Errorf("up gives %v", err)
			}
			for _, failure := range s.Failures {
				if last := strings.Join(failure.Last, "\n"); !strings.Contains(last, "[secret]") || strings.Contains(last, "hunter22") {
					t.Errorf("the last lines are %q", last)
				}
			}
			found := false
			err = filepath.WalkDir(e.Dir.Path(), func(path string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "state.json") {
					return err
				}
				text, err := os.ReadFile(path)
				if strings.Contains(string(text), "hunter22") {
					t.Errorf("%s holds the secret:\n%s", path, text)
				}
				found = found || strings.Contains(string(text), "made the password [secret]\nthe password is [secret]\n")
				return err
			})
			if err != nil || !found {
				t.Errorf("%v; the log with the secret blotted out is there: %t", err, found)
			}
		})
	}
}
