package command

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

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
