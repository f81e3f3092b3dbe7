package engine

import (
	"context"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestUpRunsEverythingOnceAndThenNothing(t *testing.T) {
	f := newFakeLab()
	e, _ := newEngine(t, smallLab(), f)
	s, err := e.Up(context.Background(), UpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for id, how := range outcomes(s) {
		if how != Done {
			t.Errorf("first up: %s is %s, want done", id, how)
		}
	}
	f.clear()
	if s, err = e.Up(context.Background(), UpOptions{}); err != nil {
		t.Fatal(err)
	}
	for id, how := range outcomes(s) {
		if how != Skipped {
			t.Errorf("second up: %s is %s, want skipped", id, how)
		}
	}
	if runs := f.called("run "); len(runs) != 0 {
		t.Errorf("second up ran %v, want nothing", runs)
	}
	if looks := f.called("look "); len(looks) != 4 {
		t.Errorf("second up asked %v, want each node once", looks)
	}
}
