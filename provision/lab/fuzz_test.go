package lab

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse feeds any text through the whole way in. It may be refused, with one line a problem, or it is a lab that
// can be written out and read again as the same lab.
func FuzzParse(f *testing.F) {
	for _, file := range fixtures(f, "*.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, at, err := Parse("lab.yaml", text)
		refused(t, err)
		Default(&l)
		Machines(l)
		invalid := Validate(l, at)
		refused(t, invalid)
		if err != nil || invalid != nil {
			return
		}
		written, err := Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		again, at, err := Parse("lab.yaml", written)
		if err != nil {
			t.Fatalf("written out, it cannot be read:\n%s\n%v", written, err)
		}
		Default(&again)
		if err := Validate(again, at); err != nil {
			t.Fatalf("written out, it is refused:\n%s\n%v", written, err)
		}
		if diff := cmp.Diff(l, again); diff != "" {
			t.Fatalf("written out and read again, it differs (-first +again):\n%s", diff)
		}
	})
}

// refused checks the form of an error: a Problems, each with a message and on a line of its own.
func refused(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	problems, ok := err.(Problems)
	if !ok || len(problems) == 0 {
		t.Fatalf("%v is not Problems", err)
	}
	for _, p := range problems {
		if p.Message == "" || strings.ContainsAny(p.Error(), "\r\n") {
			t.Errorf("a problem that is not a line: %q", p.Error())
		}
	}
}

// FuzzOverride lays any text over a description. It may be refused, or the lab is one that can be checked.
func FuzzOverride(f *testing.F) {
	lab := []byte("name: lab\nnodes:\n  - {name: n1, roles: [docker]}\nsteps: &s\n  - {name: a, script: a.sh}\n")
	for _, over := range []string{"name: x\n", "nodes: [{name: n1, cpus: 2}, {name: n2}]\n", "steps: [*s]\n", "nodes: {a: &x [*x]}\n", "{", "\xff\xfe"} {
		f.Add(lab, []byte(over))
	}
	f.Fuzz(func(t *testing.T, text, over []byte) {
		l, at, err := parse("lab.yaml", text, OverrideName, over)
		refused(t, err)
		Default(&l)
		refused(t, Validate(l, at))
	})
}
