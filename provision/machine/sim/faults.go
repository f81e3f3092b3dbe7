package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"time"

	"podium/provision/machine/sim/guest"
)

// behaviour is what a scenario says of one node, and what of it has happened already.
type behaviour struct {
	b       Behaviour
	disrupt func(kind string) // carries out a drop or a reboot

	mu        sync.Mutex
	rand      *rand.Rand
	used      map[*Hit]int
	downloads int
	refused   int
}

// of is the behaviour of a node: what the scenario says of every node, overlaid by what it says of this one.
func (s *Scenario) of(node string) *behaviour {
	h := fnv.New64a()
	h.Write([]byte(node))
	b := s.Defaults
	if own, ok := s.Nodes[node]; ok {
		b = overlay(b, own)
	}
	return &behaviour{b: b, rand: rand.New(rand.NewPCG(s.Seed, h.Sum64())), used: map[*Hit]int{}}
}

func overlay(b, own Behaviour) Behaviour {
	if own.Boot != (Range{}) {
		b.Boot = own.Boot
	}
	if own.Slow != 0 {
		b.Slow = own.Slow
	}
	b.Durations = maps.Clone(b.Durations)
	if b.Durations == nil {
		b.Durations = map[string]Range{}
	}
	maps.Copy(b.Durations, own.Durations)
	if own.SSH.Refuse != 0 {
		b.SSH.Refuse = own.SSH.Refuse
	}
	b.SSH.Drop = append(append([]Hit{}, b.SSH.Drop...), own.SSH.Drop...)
	b.Reboot = append(append([]Hit{}, b.Reboot...), own.Reboot...)
	b.Fail = append(append([]Hit{}, b.Fail...), own.Fail...)
	if own.AptLock != (Range{}) {
		b.AptLock = own.AptLock
	}
	if own.Downloads != 0 {
		b.Downloads = own.Downloads
	}
	for _, f := range []struct{ to, from *string }{
		{&b.Disk, &own.Disk}, {&b.Network, &own.Network}, {&b.Host, &own.Host}, {&b.HostKey, &own.HostKey}, {&b.Clock, &own.Clock},
	} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	b.DiskFull = b.DiskFull || own.DiskFull
	return b
}

// draw picks a duration.
func (f *behaviour) draw(r Range) time.Duration {
	d := r.Min
	if r.Max > r.Min {
		f.mu.Lock()
		d += time.Duration(f.rand.Int64N(int64(r.Max - r.Min + 1)))
		f.mu.Unlock()
	}
	if f.b.Slow > 0 {
		d = time.Duration(float64(d) * f.b.Slow)
	}
	return d
}

// takes reports whether a hit is still to happen, and counts it.
func (f *behaviour) takes(h *Hit, args []string) bool {
	if !begins(args, h.Command) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used[h] >= max(h.Times, 1) {
		return false
	}
	f.used[h]++
	return true
}

// quiet reports whether nothing of the scenario concerns commands, so that they need no look.
func (f *behaviour) quiet() bool {
	return len(f.b.Durations) == 0 && len(f.b.SSH.Drop) == 0 && len(f.b.Reboot) == 0 && len(f.b.Fail) == 0
}

// Before is called before each program of a node.
func (f *behaviour) Before(ctx context.Context, _ *guest.Machine, args []string) (took time.Duration, until <-chan struct{}, err error) {
	if f.quiet() {
		return 0, nil, nil
	}
	args = append([]string{path.Base(args[0])}, args[1:]...)
	for kind, hits := range map[string][]Hit{"drop": f.b.SSH.Drop, "reboot": f.b.Reboot} {
		for i := range hits {
			if f.takes(&hits[i], args) {
				until = f.disruptAfter(f.draw(hits[i].After), kind, until)
			}
		}
	}
	for i := range f.b.Fail {
		if h := &f.b.Fail[i]; f.takes(h, args) {
			if err := pause(ctx, f.draw(h.After)); err != nil {
				return 0, nil, err
			}
			if h.Message == "" {
				return 0, nil, fmt.Errorf("%s: failed, because sim.yaml says so", args[0])
			}
			return 0, nil, errors.New(h.Message)
		}
	}
	return f.duration(args), until, nil
}

// disruptAfter has the node disrupted after that time. The channel is closed when that is done, and when another
// disruption of the same command is: it is to be met by all of them, however short it is.
func (f *behaviour) disruptAfter(after time.Duration, kind string, other <-chan struct{}) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(after, func() {
		f.disrupt(kind)
		if other != nil {
			<-other
		}
		close(done)
	})
	return done
}

// begins reports whether a command line begins with the words of a pattern, the last of which may be cut short. Options
// that the pattern does not name may stand between: "apt-get install" fits apt-get -q -y install kubelet.
func begins(args []string, pattern string) bool {
	words := strings.Fields(pattern)
	for _, a := range args {
		if len(words) == 0 {
			return true
		}
		if a == words[0] || len(words) == 1 && strings.HasPrefix(a, words[0]) {
			words = words[1:]
		} else if !strings.HasPrefix(a, "-") {
			return false
		}
	}
	return len(words) == 0
}

func (f *behaviour) duration(args []string) time.Duration {
	best := ""
	for prefix := range f.b.Durations {
		if begins(args, prefix) && len(prefix) > len(best) {
			best = prefix
		}
	}
	if best == "" {
		return 0
	}
	return f.draw(f.b.Durations[best])
}

// Offline reports whether the node reaches nothing outside the lab.
func (f *behaviour) Offline(*guest.Machine) bool { return f.b.Network == "none" }

// Download fails the first downloads.
func (f *behaviour) Download(_ *guest.Machine, url string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.downloads < f.b.Downloads {
		f.downloads++
		return fmt.Errorf("connection to %s was cut, because sim.yaml says so", url)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
