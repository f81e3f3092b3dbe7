package ledger

import (
	"slices"
	"time"
)

// Standing is where an exercise stands by the ledger.
type Standing struct {
	Attempt  int               // from 1; 0: never started
	Started  time.Time         // of the attempt
	Checks   map[string]Result // by their names, of the attempt
	Answers  map[string]string // of the attempt
	Hints    []int             // taken in any attempt, by number
	HintCost int               // points that they cost
	Shown    bool              // the solution was shown: nothing earned afterwards counts
	Earned   int               // points, hints not taken off: of the best attempt
	Snapshot string            // taken before the lab was broken; empty: none
	Broken   bool              // by podium break, and not fixed by it
	Last     time.Time         // anything done
	Done     time.Time         // all checks held for the first time, in any attempt; zero: never
}

// Result is what is known of a check.
type Result struct {
	First time.Time // held for the first time; zero: never
	Now   string    // last result
	Why   string    // of the last result
	Tries int
}

// Points is what counts.
func (s Standing) Points() int { return max(0, s.Earned-s.HintCost) }

// Standings folds entries, by exercise.
func Standings(entries []Entry) map[string]*Standing {
	all := map[string]*Standing{}
	for _, e := range entries {
		s := all[e.Exercise]
		if s == nil {
			s = &Standing{Checks: map[string]Result{}, Answers: map[string]string{}}
			all[e.Exercise] = s
		}
		s.take(e)
	}
	return all
}

func (s *Standing) take(e Entry) {
	s.Last = e.Time
	switch e.Kind {
	case Start, Reset:
		if s.Attempt == 0 || e.Kind == Reset {
			s.Attempt++
			s.Started, s.Checks, s.Answers = e.Time, map[string]Result{}, map[string]string{}
		}
		s.Broken = false
	case Checked:
		s.Attempt = max(s.Attempt, 1)
		s.check(e)
	case Answered:
		s.Attempt = max(s.Attempt, 1)
		for name, answer := range e.Answers {
			s.Answers[name] = answer
		}
	case Hinted:
		if !slices.Contains(s.Hints, e.Hint) {
			s.Hints = append(s.Hints, e.Hint)
			s.HintCost += e.Cost
		}
	case Solved:
		s.Shown = true
	case Broke:
		s.Snapshot, s.Broken = e.Snapshot, true
	case Fixed:
		s.Broken = false
	}
}

func (s *Standing) check(e Entry) {
	earned, all := 0, true
	for _, m := range e.Checks {
		r := s.Checks[m.Name]
		r.Now, r.Why = m.Result, m.Why
		r.Tries++
		if m.Result == holds && r.First.IsZero() && !s.Shown {
			r.First = e.Time
		}
		all = all && m.Result == holds
		if !r.First.IsZero() {
			earned += m.Points
		}
		s.Checks[m.Name] = r
	}
	s.Earned = max(s.Earned, earned)
	if all && len(e.Checks) > 0 && s.Done.IsZero() {
		s.Done = e.Time
	}
}

// holds is check.Holds, as it stands in the ledger.
const holds = "holds"

// Current is the exercise that something was started of last; empty: none.
func Current(entries []Entry) string {
	for _, e := range slices.Backward(entries) {
		if e.Kind == Start || e.Kind == Reset || e.Kind == Broke {
			return e.Exercise
		}
	}
	return ""
}
