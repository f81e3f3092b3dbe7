package exercise

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/lab"
	"podium/provision/wording"
)

var update = flag.Bool("update", false, "write golden files")

// someLab has a node box with the role docker, and an exercise made of the files given.
func someLab(t *testing.T, files map[string]string) lab.Lab {
	t.Helper()
	dir := t.TempDir()
	l := lab.Lab{Name: "docker", Nodes: []lab.Node{{Name: "box", Roles: []string{"docker"}}}, Dir: dir}
	lab.Default(&l)
	for name, text := range files {
		path := filepath.Join(dir, Folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// around gives an exercise.yaml what it needs beside it.
func around(description string) map[string]string {
	return map[string]string{
		"web/exercise.yaml": description, "web/text.md": "# Web {{port}}\n", "web/text.ko.md": "# 웹\n",
		"web/setup.sh": "true\n", "web/broken.sh": "if true; then\n", "other/text.md": "x",
	}
}

// TestInvalid compares what is said about each testdata/invalid-*.yaml with its golden file.
func TestInvalid(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(someLab(t, around(string(text))))
			if err == nil {
				t.Fatal("it is taken as valid")
			}
			got := strings.ReplaceAll(err.Error(), `\`, "/") + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got); if it should, run go test -update:\n%s", diff)
			}
		})
	}
}

const valid = `title: {en: Web, ko: 웹}
minutes: 5
vars:
  port: {from: 8080, to: 8089}
  color: {choose: [red, green, 7]}
  token: {hex: 16}
  where: {node: docker}
setup: [{run: setup.sh, on: "{{where}}"}]
checks:
  - name: answers
    title: {en: "port {{port}}", ko: "포트 {{port}}"}
    http: {url: "http://{{address_box}}:{{port}}/", body: {contains: "{{color}}"}}
`

func TestValues(t *testing.T) {
	files := around(valid)
	delete(files, "other/text.md")
	l := someLab(t, files)
	all, err := Load(l)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	e := all[0]
	first, again, other := e.Values(l, []byte("a")), e.Values(l, []byte("a")), e.Values(l, []byte("b"))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed gives other values:\n%s", diff)
	}
	if first["token"] == other["token"] {
		t.Error("another seed gives the same token")
	}
	if first["where"] != "box" || len(first["token"]) != 16 || first["address_box"] != "192.168.56.10" {
		t.Error(first)
	}
	// The derivation is part of podium's interface: a student's values stay when podium is updated.
	if first["port"] != "8086" || first["color"] != "7" {
		t.Errorf("the seed a gave port %s and color %s until now", first["port"], first["color"])
	}
	filled := Fill(e, first)
	if want := "http://192.168.56.10:" + first["port"] + "/"; filled.Checks[0].HTTP.URL != want {
		t.Errorf("got %s, want %s", filled.Checks[0].HTTP.URL, want)
	}
	if got := filled.Text.In(wording.English); got != "# Web "+first["port"]+"\n" {
		t.Error(got)
	}
	if e.Checks[0].HTTP.URL == filled.Checks[0].HTTP.URL {
		t.Error("filling changed the original")
	}
	if env := Environment(first); env["PORT"] != first["port"] || env["USER"] != "" {
		t.Error(env)
	}
}

func TestOrder(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		for file, text := range around(valid) {
			if rest, ok := strings.CutPrefix(file, "web/"); ok {
				files[name+"/"+rest] = text
			}
		}
	}
	l := someLab(t, files)
	l.Exercises = []string{"c", "a"}
	all, err := Load(l)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	if got := strings.Join(names, " "); got != "c a b" {
		t.Error(got)
	}
	l.Exercises = []string{"d"}
	if _, err := Load(l); err == nil || !strings.Contains(err.Error(), "exercises[0]") {
		t.Error(err)
	}
}

func TestNoExercises(t *testing.T) {
	all, err := Load(someLab(t, nil))
	if err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}

// FuzzParse: any text is refused with problems that are one line each, or it is an exercise that can be checked and filled.
func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	l := lab.Lab{Name: "docker", Nodes: []lab.Node{{Name: "box", Roles: []string{"docker"}}}}
	lab.Default(&l)
	f.Fuzz(func(t *testing.T, text []byte) {
		e, at, err := Parse("exercise.yaml", text)
		e.Name = "web"
		v := &validator{exercise: &e, lab: l, at: at, names: []string{"web"}}
		v.all()
		for _, p := range v.problems {
			if p.Message == "" || strings.ContainsAny(p.Error(), "\r\n") {
				t.Errorf("a problem that is not a line: %q", p.Error())
			}
		}
		if err != nil || len(v.problems) > 0 {
			return
		}
		filled := Fill(e, e.Values(l, []byte("seed")))
		for i := range filled.Checks {
			filled.Checks[i].Kind().Probe()
		}
	})
}
