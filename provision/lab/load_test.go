package lab

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// builtin stands for the names of the catalogue.
var builtin = []string{"hosts", "base", "containerd", "kubeadm-init", "kubeadm-join", "kube-ready"}

// golden compares got with a file of testdata, or writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s differs (-want +got); if it should, run go test ./provision/lab -update:\n%s", file, diff)
	}
}

func fixtures(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures %s: %v", pattern, err)
	}
	return files
}

func fixtureName(file string) string { return strings.TrimSuffix(filepath.Base(file), ".yaml") }

// TestValid reads each valid-NAME.yaml; what it becomes, defaults filled in, stands in valid-NAME.golden.
func TestValid(t *testing.T) {
	for _, file := range fixtures(t, "valid-*.yaml") {
		t.Run(fixtureName(file), func(t *testing.T) {
			l, err := LoadWith(file, LoadOptions{Steps: builtin})
			if err != nil {
				t.Fatal(err)
			}
			text, err := Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, fixtureName(file)+".golden", string(text))
			again, at, err := Parse("again.yaml", text)
			if err != nil {
				t.Fatal(err)
			}
			Default(&again)
			again.Dir = l.Dir
			if err := Validate(again, at); err != nil {
				t.Errorf("written out, it is refused:\n%v", err)
			}
			if diff := cmp.Diff(l, again); diff != "" {
				t.Errorf("written out and read again, it differs (-first +again):\n%s", diff)
			}
		})
	}
}

// TestInvalid reads each invalid-NAME.yaml; everything podium says of it stands in invalid-NAME.golden.
func TestInvalid(t *testing.T) {
	for _, file := range fixtures(t, "invalid-*.yaml") {
		t.Run(fixtureName(file), func(t *testing.T) {
			_, err := LoadWith(file, LoadOptions{Steps: builtin})
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want a Problems", err)
			}
			golden(t, fixtureName(file)+".golden", filepath.ToSlash(err.Error())+"\n")
		})
	}
}
