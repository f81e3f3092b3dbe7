package lab

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// overridden is a lab that the overrides of the tests change.
const overridden = `name: class
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - name: w
    count: 3
    roles: [worker]
    memory: 2GiB
kubernetes:
  version: "1.36"
  cni: flannel
mirrors: {apt: "http://a.example", registries: {docker.io: "http://d.example"}}
`

// writeLab writes a lab with its override into a folder of its own.
func writeLab(t *testing.T, text, override string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{FileName: text, OverrideName: override} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestOverride compares a lab with an override with the one in which the same is written out.
func TestOverride(t *testing.T) {
	for _, c := range []struct{ name, override, from, to string }{
		{"a field of a section", `kubernetes: {version: "1.34"}`, `"1.36"`, `"1.34"`},
		{"a field that is new", "source: distro", "name: class", "name: class\nsource: distro"},
		{"a section that is new", "incus: {image: debian-12}", "name: class", "name: class\nincus: {image: debian-12}"},
		{"a node, by its name", "nodes: [{name: w, count: 1}]", "count: 3", "count: 1"},
		{"a node that is new", "nodes: [{name: ops, roles: [monitoring]}]\nmonitoring: {retention: 1d}", "kubernetes:\n",
			"  - {name: ops, roles: [monitoring]}\nmonitoring: {retention: 1d}\nkubernetes:\n"},
		{"a list of words takes the whole list's place", "nodes: [{name: w, roles: [worker, docker]}]", "roles: [worker]", "roles: [worker, docker]"},
		{"a map", "mirrors: {registries: {ghcr.io: 'http://g.example'}}", `{docker.io: "http://d.example"}`, `{docker.io: "http://d.example", ghcr.io: "http://g.example"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Load(writeLab(t, overridden, c.override))
			if err != nil {
				t.Fatal(err)
			}
			l, _, err := Parse(FileName, []byte(strings.Replace(overridden, c.from, c.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			Default(&l)
			l.Dir = got.Dir
			if diff := cmp.Diff(l, got); diff != "" {
				t.Errorf("-written out +overridden:\n%s", diff)
			}
		})
	}
}

// TestOverrideSharesNothing: an override of one of two aliases leaves the other as it is.
func TestOverrideSharesNothing(t *testing.T) {
	text := "name: class\nnodes:\n  - &n {name: a, roles: [docker], memory: 1GiB}\n  - {<<: *n, name: b}\n"
	l, err := Load(writeLab(t, text, "nodes: [{name: a, memory: 2GiB}]"))
	if err != nil {
		t.Fatal(err)
	}
	if l.Nodes[0].Memory != 2*GiB || l.Nodes[1].Memory != GiB {
		t.Errorf("got %v and %v, want 2GiB and 1GiB", l.Nodes[0].Memory, l.Nodes[1].Memory)
	}
}

// TestOverrideProblems: each problem names the file it stands in.
func TestOverrideProblems(t *testing.T) {
	for _, c := range []struct {
		name, override string
		want           []string
	}{
		{"unknown field", "kubernetes: {versoin: '1.34'}", []string{`lab.override.yaml:1:14: kubernetes.versoin: is not a field here: did you mean version?`}},
		{"bad value", "nodes:\n  - {name: w, memory: 2GB}", []string{`lab.override.yaml:2:23: nodes[1].memory: "2GB"`}},
		{"value that does not fit the rest", "network: 10.0.0.0/30", []string{`lab.override.yaml:1:10: network: "10.0.0.0/30"`}},
		{"in both files", "source: nowhere\nnodes: [{name: ops, roles: [king]}]", []string{"lab.override.yaml:1:9: source", "lab.override.yaml:2:29: nodes[2].roles[0]"}},
		{"twice", "source: distro\nsource: upstream", []string{"lab.override.yaml:2:1: source: stands here a second time"}},
		{"no YAML", "a: b: c", []string{"lab.override.yaml:1:1: is not YAML"}},
		{"empty", "", []string{"lab.override.yaml:1:1: the file is empty"}},
		{"other kind", "kubernetes: yes", []string{"lab.override.yaml:1:13: kubernetes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := writeLab(t, overridden, c.override)
			_, err := Load(folder)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want a Problems", err)
			}
			said := strings.ReplaceAll(err.Error(), folder+string(filepath.Separator), "")
			for _, part := range c.want {
				if !strings.Contains(said, part) {
					t.Errorf("%s\ndoes not say %s", said, part)
				}
			}
		})
	}
	folder := writeLab(t, strings.Replace(overridden, "2GiB", "2GB", 1), "source: distro")
	if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), "lab.yaml:7:13: nodes[1].memory") {
		t.Errorf("a problem of lab.yaml beside an override: %v", err)
	}
}

func TestOverrideOf(t *testing.T) {
	folder := writeLab(t, overridden, "source: distro")
	if got := Override(filepath.Join(folder, FileName)); filepath.Base(got) != OverrideName {
		t.Errorf("got %q", got)
	}
	if got := Override(filepath.Join(folder, "other.yaml")); got != "" {
		t.Errorf("of a file without one: %q", got)
	}
}
