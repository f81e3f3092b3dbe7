package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"podium/provision/plan"
)

func TestParseLook(t *testing.T) {
	got, err := parseInspection([]byte("step=base\ndigest.script=a\ndigest.vars=b\ndigest.files=c\ndone=1700000000\nfact.x_url=http://a/?b=c\nfact.empty=\nfact.=no name\nno pair\nfuture=1\n" +
		"step=half\ndigest.script=a\nstep=none\nunit.kubelet=active\nunit.a=\nend=\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := inspection{
		Markers: map[string]marker{
			"base": {Digest: plan.Digest{Script: "a", Vars: "b", Files: "c"}, Done: time.Unix(1700000000, 0), Facts: map[string]string{"x_url": "http://a/?b=c", "empty": ""}},
			"half": {Digest: plan.Digest{Script: "a"}},
			"none": {},
		},
		Units: map[string]string{"kubelet": "active", "a": ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "step=base\ndigest.script=a\n"} {
		if _, err := parseInspection([]byte(text)); !errors.Is(err, errTorn) {
			t.Errorf("%q gives %v, want errTorn", text, err)
		}
	}
}

func TestReason(t *testing.T) {
	want := plan.Digest{Script: "s", Vars: "v", Files: "f"}
	for _, tt := range []struct {
		m    marker
		ok   bool
		want string
	}{
		{marker{Digest: want}, true, ""},
		{marker{}, false, "missing"},
		{marker{}, true, "was not finished"},
		{marker{Digest: plan.Digest{Script: "s", Vars: "v"}}, true, "files changed"},
		{marker{Digest: plan.Digest{Script: "x", Vars: "x", Files: "x"}}, true, "script, variables, files changed"},
	} {
		if got := reason(tt.m, tt.ok, want); got != tt.want {
			t.Errorf("%+v, %v: %q, want %q", tt.m, tt.ok, got, tt.want)
		}
	}
	if got := parseDigest(digestText(want)); got != want {
		t.Errorf("digest comes back as %+v", got)
	}
	if got := parseDigest("nonsense"); got != (plan.Digest{}) {
		t.Errorf("nonsense is the digest %+v", got)
	}
}

func TestLimitedAnswer(t *testing.T) {
	var l limited
	if _, err := fmt.Fprint(&l, strings.Repeat("x", maxAnswer)); err != nil {
		t.Errorf("the limit itself is refused: %v", err)
	}
	if _, err := fmt.Fprint(&l, "x"); err == nil {
		t.Error("more than the limit is taken")
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte("step=base\ndigest.script=a\nfact.x=y\nunit.a=active\nend=\n"))
	f.Add([]byte("probe=\ndone=99999999999999999999\nexit=-3\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parseInspection(text)
		if err == nil && !strings.Contains(string(text), "end=") {
			t.Error("an answer without its end counts as whole")
		}
		for step, m := range l.Markers {
			if why := reason(m, true, plan.Digest{Script: "never in a corpus", Vars: "v", Files: "f"}); why == "" {
				t.Errorf("step %q counts as done", step)
			}
		}
		if r, err := parseAnswer(text); err == nil && r.Exit >= 0 && !strings.Contains(string(text), "exit=") {
			t.Errorf("an answer without exit has the code %d", r.Exit)
		}
	})
}
