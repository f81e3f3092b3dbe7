// Package audit compares the catalogue with the world: whether its addresses still answer, its signing keys are still
// the same, and which dates come near.
package audit

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"podium/provision/catalogue"
)

// Notice is how long before a key expires or a version ends a warning begins.
const Notice = 90 * 24 * time.Hour

// Outcome is what a look at one fact of the catalogue gave.
type Outcome string

// The outcomes, the worst first.
const (
	Rotten  Outcome = "rotten"  // what the catalogue says is no longer so: an address is gone, a key was changed or has expired
	Unasked Outcome = "unasked" // nobody answered
	Warning Outcome = "warning" // a date is near or past, or the catalogue does not say all
	Good    Outcome = "good"
)

// Result is one fact of the catalogue, looked at.
type Result struct {
	Subject string        `json:"subject"`       // such as "flannel 0.28.9, manifest"
	URL     string        `json:"url,omitempty"` // empty: nothing was asked
	Outcome Outcome       `json:"outcome"`
	Message string        `json:"message,omitempty"`
	Took    time.Duration `json:"-"`
	Found   *File         `json:"-"` // with Options.Pin: a file that had no checksum, with the one that it has
}

// Options say what is looked at, and how.
type Options struct {
	Catalogue catalogue.Catalogue
	Names     []string          // components; empty: all, and all sources
	Mirrors   map[string]string // base URL by the sources' mirror
	Now       time.Time
	Client    *http.Client
	Parallel  int                  // requests at once; 0: 8
	Patience  time.Duration        // for one request; 0: 20 s
	Pin       bool                 // read the files that have no checksum yet, too
	Progress  func(asked, all int) // nil: nobody wants to know
}

// Run looks at dates, then asks for every address and key. It ends early when ctx does; what was not asked by then is
// not among the results.
func Run(ctx context.Context, o Options) []Result {
	results := dates(o)
	questions := list(o)
	asker := &asker{options: o, hosts: map[string]*host{}}
	var mu sync.Mutex
	asked := 0
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(o.Parallel, 8))
	answers := make([]*answer, len(questions))
	for i, q := range questions {
		group.Go(func() error {
			start := time.Now()
			a := asker.ask(ctx, q)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.result.Took = time.Since(start)
			mu.Lock()
			defer mu.Unlock()
			answers[i] = &a
			asked++
			if o.Progress != nil {
				o.Progress(asked, len(questions))
			}
			return nil
		})
	}
	_ = group.Wait() // only ctx's error can come of it, which the caller has
	results = append(results, unreadKeys(o, questions, answers)...)
	return append(results, asker.conclude(answers)...)
}

// unreadKeys looks at the catalogue's dates of those keys that could not be read.
func unreadKeys(o Options, questions []question, answers []*answer) []Result {
	var results []Result
	for _, s := range o.Catalogue.Sources {
		asked, read := false, false
		for i, q := range questions {
			if s.Key != nil && q.key == s.Key {
				asked = true
				read = read || answers[i] != nil && answers[i].silence == nil
			}
		}
		if !asked || read {
			continue
		}
		if outcome, message := ending(s.Key.Expires, o.Now, "the key expires", "the key expired"); outcome != Good {
			results = append(results, Result{Subject: "key of " + s.Name, Outcome: Warning, Message: message + ", as far as the catalogue knows"})
		}
	}
	return results
}

// Count is how many results have the outcome.
func Count(results []Result, outcome Outcome) int {
	n := 0
	for _, r := range results {
		if r.Outcome == outcome {
			n++
		}
	}
	return n
}

// chosen reports whether the component is looked at.
func (o Options) chosen(name string) bool { return len(o.Names) == 0 || slices.Contains(o.Names, name) }

// dates looks at what the catalogue itself says: it needs nobody.
func dates(o Options) []Result {
	var results []Result
	for _, c := range o.Catalogue.Components {
		if !o.chosen(c.Name) {
			continue
		}
		for _, r := range c.Versions {
			if outcome, message := ending(r.End, o.Now, "gets no fixes after", "has had no fixes since"); outcome != Good {
				// What was given up on purpose, or is offered beside newer ones, is not rot.
				if outcome == Rotten && (!r.Default || c.Legacy) {
					outcome = Warning
				}
				results = append(results, Result{Subject: c.Name + " " + r.Version, Outcome: outcome, Message: message})
			}
		}
	}
	for _, d := range o.Catalogue.Distributions {
		if len(o.Names) > 0 || d.Cgroup == "1" {
			continue // the latter are there to be refused
		}
		if outcome, message := ending(d.End, o.Now, "gets no fixes after", "has had no fixes since"); outcome != Good {
			results = append(results, Result{Subject: d.Name, Outcome: Warning, Message: message})
		}
	}
	return results
}

// ending judges a last day: rotten when it is past, a warning when it is near.
func ending(end catalogue.Date, now time.Time, soon, past string) (Outcome, string) {
	today := catalogue.DateOf(now)
	switch {
	case end == "":
		return Good, ""
	case end < today:
		return Rotten, fmt.Sprintf("%s %s", past, end)
	case end <= catalogue.DateOf(now.Add(Notice)):
		days := int(end.Time().Sub(today.Time()).Hours() / 24)
		return Warning, fmt.Sprintf("%s %s: %d days are left", soon, end, days)
	}
	return Good, ""
}
