package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func touch(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,no-create d,date: r,reference: a m", option.GNU)
	if !ok {
		return usage
	}
	files, cred := p.Files()
	when := p.Machine().Time()
	if o.Has("r") {
		info, err := files.Stat(cred, p.Path(o.Value("r")))
		if err != nil {
			return p.Fail(1, "failed to get attributes of '%s': %s", o.Value("r"), guest.Reason(err))
		}
		when = info.ModTime()
	}
	if o.Has("d") {
		t, err := parseDate(o.Value("d"), when)
		if err != nil {
			return p.Fail(1, "invalid date format ‘%s’", o.Value("d"))
		}
		when = t
	}
	code := 0
	for _, name := range o.Args {
		full := p.Path(name)
		_, err := files.Stat(cred, full)
		if errors.Is(err, fs.ErrNotExist) {
			if o.Has("c") {
				continue
			}
			var f io.Closer
			if f, err = p.Open(full, os.O_WRONLY|os.O_CREATE, 0o666); err == nil {
				f.Close()
			}
		}
		if err == nil {
			err = files.Chtimes(cred, full, when)
		}
		if err != nil {
			p.Errorf("touch: cannot touch '%s': %s", name, guest.Reason(err))
			code = 1
		}
	}
	return code
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
