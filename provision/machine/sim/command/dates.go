package command

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func date(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,utc,universal d,date: I,iso-8601? R,rfc-email s,set: r,reference: rfc-3339:", option.GNU)
	if !ok {
		return 1
	}
	when := p.Kernel.Clock()
	if o.Has("s") {
		t, err := parseDate(o.Value("s"), when)
		if err != nil {
			return p.Fail(1, "%v", err)
		}
		if p.Cred.UID != 0 {
			return p.Fail(1, "cannot set date: Operation not permitted")
		}
		p.Kernel.SetClock(t)
		when = t
	}
	if o.Has("r") {
		info, err := p.FS().Stat(p.Cred, p.Path(o.Value("r")))
		if err != nil {
			return p.Fail(1, "%s: %s", o.Value("r"), guest.Reason(err))
		}
		when = info.ModTime()
	}
	if o.Has("d") {
		t, err := parseDate(o.Value("d"), when)
		if err != nil {
			return p.Fail(1, "%v", err)
		}
		when = t
	}
	layout := "%a %b %e %H:%M:%S %Z %Y"
	switch {
	case len(o.Args) > 0 && strings.HasPrefix(o.Args[0], "+"):
		layout = o.Args[0][1:]
	case len(o.Args) > 0:
		return p.Fail(1, "invalid date ‘%s’", o.Args[0])
	case o.Has("I"):
		layout = "%Y-%m-%d"
		if strings.HasPrefix(o.Value("I"), "s") {
			layout = "%Y-%m-%dT%H:%M:%S%:z"
		}
	case o.Has("R"):
		layout = "%a, %d %b %Y %H:%M:%S %z"
	case o.Has("rfc-3339"):
		layout = "%Y-%m-%d %H:%M:%S%:z"
	}
	p.Print(guest.FormatTime(layout, when.Unix(), int64(when.Nanosecond())) + "\n")
	return 0
}

func sleep(ctx context.Context, p *guest.Process) int {
	var total time.Duration
	for _, a := range p.Args[1:] {
		d, err := duration(a)
		if err != nil {
			return p.Fail(1, "invalid time interval ‘%s’", a)
		}
		total += d
	}
	if len(p.Args) < 2 {
		return p.Fail(1, "missing operand")
	}
	t := time.NewTimer(total)
	defer t.Stop()
	select {
	case <-t.C:
		return 0
	case <-ctx.Done():
		return 1
	}
}

// duration reads 5, 0.5, 2s, 1m, infinity.
func duration(s string) (time.Duration, error) {
	if s == "infinity" || s == "inf" {
		return 1 << 62, nil
	}
	unit := time.Second
	switch {
	case strings.HasSuffix(s, "s"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "m"):
		s, unit = s[:len(s)-1], time.Minute
	case strings.HasSuffix(s, "h"):
		s, unit = s[:len(s)-1], time.Hour
	case strings.HasSuffix(s, "d"):
		s, unit = s[:len(s)-1], 24*time.Hour
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 {
		return 0, fmt.Errorf("invalid duration %q", s)
	}
	return time.Duration(f * float64(unit)), nil
}

func parseDate(s string, now time.Time) (time.Time, error) {
	if sec, ok := strings.CutPrefix(s, "@"); ok {
		n, err := strconv.ParseFloat(sec, 64)
		return time.Unix(int64(n), 0), err
	}
	switch s {
	case "now", "":
		return now, nil
	case "yesterday":
		return now.Add(-24 * time.Hour), nil
	case "tomorrow":
		return now.Add(24 * time.Hour), nil
	}
	f := strings.Fields(strings.TrimSuffix(s, " ago"))
	if len(f) == 2 {
		n, err := strconv.Atoi(strings.TrimPrefix(f[0], "+"))
		unit, ok := map[string]time.Duration{
			"second": time.Second, "sec": time.Second, "minute": time.Minute, "min": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
			"week": 7 * 24 * time.Hour, "year": 365 * 24 * time.Hour,
		}[strings.TrimSuffix(f[1], "s")]
		if err == nil && ok {
			if strings.HasSuffix(s, " ago") {
				n = -n
			}
			return now.Add(time.Duration(n) * unit), nil
		}
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02", "2006-01-02 15:04", "Jan _2 15:04:05 2006 MST",
		"Mon Jan _2 15:04:05 2006", "2006-01-02 15:04:05 MST", time.RFC1123, time.RFC1123Z,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return now, fmt.Errorf("invalid date ‘%s’", s)
}
