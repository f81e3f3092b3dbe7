package labs

import (
	"testing"

	"podium/provision/exercise"
	"podium/provision/lab"
)

// TestExercises reads every exercise as a student gets it.
func TestExercises(t *testing.T) {
	for _, name := range Names() {
		l, err := lab.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := exercise.Load(l)
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
		}
		for _, e := range all {
			if lacks := e.Unmet(l); len(lacks) > 0 {
				t.Errorf("%s/%s needs what its lab does not have: %v", name, e.Name, lacks)
			}
			for _, c := range e.Checks {
				if _, err := exercise.Nodes(l, &c); err != nil {
					t.Errorf("%s/%s: %s: %v", name, e.Name, c.Name, err)
				}
			}
			if len(e.Solution) == 0 || len(e.Wrong) == 0 {
				t.Errorf("%s/%s needs a solution that runs and a wrong attempt", name, e.Name)
			}
		}
	}
}
