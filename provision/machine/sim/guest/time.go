package guest

import (
	"fmt"
	"strings"
	"time"
)

// FormatTime is strftime(3) in UTC for the conversions that scripts use; unknown ones stay as they are.
func FormatTime(layout string, sec, nsec int64) string {
	t := time.Unix(sec, nsec).UTC()
	var b strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			b.WriteByte(layout[i])
			continue
		}
		i++
		c := layout[i]
		if c == ':' && strings.HasPrefix(layout[i:], ":z") {
			i++
			b.WriteString("+00:00")
			continue
		}
		if n := c - '0'; n >= 1 && n <= 9 && i+1 < len(layout) && layout[i+1] == 'N' {
			i++
			b.WriteString(fmt.Sprintf("%09d", t.Nanosecond())[:n])
			continue
		}
		if layout, ok := map[byte]string{
			'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'y': "06", 'B': "January", 'b': "Jan", 'h': "Jan",
			'A': "Monday", 'a': "Mon", 'e': "_2", 'I': "03", 'p': "PM", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04",
			'D': "01/02/06", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05",
		}[c]; ok {
			b.WriteString(t.Format(layout))
			continue
		}
		switch c {
		case 's':
			fmt.Fprint(&b, t.Unix())
		case 'N':
			fmt.Fprintf(&b, "%09d", t.Nanosecond())
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'u':
			fmt.Fprint(&b, (int(t.Weekday())+6)%7+1)
		case 'z':
			b.WriteString("+0000")
		case 'Z':
			b.WriteString("UTC")
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '%':
			b.WriteByte('%')
		default:
			b.WriteByte('%')
			b.WriteByte(c)
		}
	}
	return b.String()
}
