package plan

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/labs"
	"podium/provision/lab"
	"podium/provision/step"
	"podium/scripts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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
		t.Errorf("%s differs (-want +got); if it should, run go test ./provision/plan -update:\n%s", file, diff)
	}
}

// stepNames are the names of the catalogue.
func stepNames() []string {
	var names []string
	for _, row := range step.Catalogue() {
		names = append(names, row.Name)
	}
	return names
}

// load reads a lab and plans it with the real catalogue.
func load(t testing.TB, path string) Plan {
	t.Helper()
	l, err := lab.LoadWith(path, lab.LoadOptions{Steps: stepNames()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Build(l, scripts.Guest(), os.DirFS(l.Dir))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// text is what a renderer writes.
func text(t *testing.T, render func(io.Writer, map[TaskID]string) error, reasons map[TaskID]string) string {
	t.Helper()
	var b strings.Builder
	if err := render(&b, reasons); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wide is Text on a terminal of any width.
func (p Plan) wide(w io.Writer, reasons map[TaskID]string) error { return p.Text(w, reasons, 0) }

// TestLabs shows the plan of every lab that comes with podium, and of some that have what those have not. Digests are left out of the JSON, which would change
// with each letter of a script; TestDigest and its like are about them.
func TestLabs(t *testing.T) {
	folders := map[string]string{}
	for _, name := range []string{"ha", "docker-runtime", "cri-o"} {
		folders[name] = filepath.Join("testdata", name)
	}
	for _, name := range labs.Names() {
		folders[name] = filepath.Join("..", "..", "labs", name)
	}
	for name, folder := range folders {
		t.Run(name, func(t *testing.T) {
			p := load(t, folder)
			golden(t, name+".txt", text(t, p.wide, nil))
			golden(t, name+".mmd", text(t, p.Mermaid, nil))
			for i := range p.Tasks {
				p.Tasks[i].Digest = Digest{}
			}
			golden(t, name+".json", text(t, p.json, nil))
		})
	}
}
