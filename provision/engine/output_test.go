package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"podium/provision/plan"
	"podium/provision/state"
	"podium/provision/step"
)

func TestReplacerHidesSecrets(t *testing.T) {
	r := replacer([]string{"hunter22", "hunter22-longer", "short", "two lines\nof secret text", "true"})
	for in, want := range map[string]string{
		"password hunter22.":       "password [secret].",
		"password hunter22-longer": "password [secret]",
		"of secret text":           "[secret]",
		"true and short stay":      "true and short stay",
	} {
		if got := r.Replace(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestOutputKeepsTheLastLinesOfTheLastTry(t *testing.T) {
	d, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log, err := d.Log("w1", "base")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	events := &recorder{}
	o := newOutput("w1", "base", log, events)
	for try := 1; try <= 2; try++ {
		if err := o.try(try, time.Now()); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			fmt.Fprintf(o, "try %d line %d\n", try, i)
		}
		fmt.Fprintf(o, "try %d, no line end", try)
		o.flush()
	}
	last := o.tail()
	if len(last) != keptLines || last[0] != "try 2 line 9" || last[keptLines-1] != "try 2, no line end" {
		t.Errorf("last lines: %q", last)
	}
	if got := len(events.events); got != 42 {
		t.Errorf("%d events, want 42", got)
	}
}

func TestBundleRefuses(t *testing.T) {
	s, err := readNodeScripts()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		task plan.Task
		want string
	}{
		{"a variable's name", plan.Task{Vars: map[string]string{"A B": "x"}}, `"A B"`},
		{"a variable's value", plan.Task{Vars: map[string]string{"A": "x\x00y"}}, "NUL"},
		{"a relative path", plan.Task{Files: []step.File{{Path: "etc/x"}}}, `"etc/x"`},
	} {
		if _, err := s.stepBundle(tt.task, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s named", tt.name, err, tt.want)
		}
	}
	if _, err := s.stepBundle(plan.Task{}, map[string]string{"1x": "y"}); err == nil {
		t.Error("an input may set the variable 1x")
	}
}

func TestRetryPauses(t *testing.T) {
	r := Retry{Tries: 6, First: time.Second, Most: 5 * time.Second}
	var got []bool
	for tries, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 4: 5 * time.Second, 60: 5 * time.Second} {
		p := r.pause(tries)
		got = append(got, p >= want*3/4 && p <= want*5/4)
	}
	if diff := cmp.Diff([]bool{true, true, true, true, true}, got); diff != "" {
		t.Error(diff)
	}
}
