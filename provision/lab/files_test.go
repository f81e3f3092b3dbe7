package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stepsLab writes a lab with these steps and files, and gives its problems.
func stepsLab(t *testing.T, steps string, files map[string]string) string {
	t.Helper()
	dir := write(t, "name: lab\nprovider: sim\nnodes:\n  - {name: n1, roles: [docker]}\nsteps:\n"+steps)
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := LoadWith(dir, LoadOptions{Steps: []string{"base"}})
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestManyWrongNames has a lab in which every name is wrong: a similar one is looked for for the first ones only, or it
// would take minutes.
func TestManyWrongNames(t *testing.T) {
	var steps strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&steps, "- {name: s%d, script: seed.sh, after: [sx%d], on: [nx%d]}\n", i, i, i)
	}
	problems := stepsLab(t, steps.String(), nil)
	if all := strings.Count(problems, "is not a step") + strings.Count(problems, "is neither a role nor a node"); all != 6000 {
		t.Errorf("%d problems, want 6000", all)
	}
	if n := strings.Count(problems, "did you mean"); n == 0 || n > maxSuggestions {
		t.Errorf("%d suggestions, want some and at most %d", n, maxSuggestions)
	}
}

// TestLongCircles has steps that all wait for each other: a message names a few of them.
func TestLongCircles(t *testing.T) {
	var steps strings.Builder
	const n = 2000
	for i := range n {
		fmt.Fprintf(&steps, "- {name: s%d, script: seed.sh, after: [s%d, s%d]}\n", i, (i+1)%n, i/2)
	}
	for line := range strings.Lines(stepsLab(t, steps.String(), nil)) {
		if len(line) > 500 {
			t.Fatalf("a line of %d bytes: %.200s...", len(line), line)
		}
	}
}

func TestFilesOfAStepAreBounded(t *testing.T) {
	many, heavy := map[string]string{}, map[string]string{}
	for i := range maxFileCount + 1 {
		many[fmt.Sprint("many/", i)] = ""
	}
	var list []string
	for i := range maxCarried>>20 + 1 {
		name := fmt.Sprint("heavy", i)
		heavy[name] = strings.Repeat("x", 1<<20)
		list = append(list, name)
	}
	for _, tt := range []struct {
		files, want string
		there       map[string]string
	}{
		{"[many]", "has more than the 1000 files", many},
		{"[big]", "more than the 1048576 that go with a step", map[string]string{"big": strings.Repeat("x", maxFiles+1)}},
		{"[" + strings.Join(list, ", ") + "]", "all files of all steps can have", heavy},
		{"[seed.sh]", "", nil},
	} {
		got := stepsLab(t, "- {name: a, script: seed.sh, files: "+tt.files+"}\n", tt.there)
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%.40s: %q, want %q", tt.files, got, tt.want)
		}
	}
}

func TestMisnamed(t *testing.T) {
	for name, want := range map[string]string{"lab.yml": "lab.yml", "lab.yaml.txt": "lab.yaml.txt", "Lab.YML": "Lab.YML", "lab.txt": "", FileName: ""} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Misnamed(dir); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if _, err := Load(dir); want != "" && (err == nil || !strings.Contains(err.Error(), "rename it to lab.yaml")) {
			t.Errorf("load of a folder with %s: %v", name, err)
		}
	}
}

func TestCheckNames(t *testing.T) {
	good := Lab{Name: "lab", Nodes: []Node{{Name: "n1"}}, Steps: []Step{{Name: "s-1"}}}
	if err := good.CheckNames(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Lab{{}, {Name: "../x"}, {Name: "lab", Nodes: []Node{{Name: "a/b"}}}, {Name: "lab", Steps: []Step{{Name: "-x"}}}} {
		if err := bad.CheckNames(); err == nil {
			t.Errorf("%+v has names", bad)
		}
	}
}
