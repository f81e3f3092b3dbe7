package command

import (
	"regexp"
	"strings"
)

// Extended turns a POSIX extended expression, with GNU's additions, into a Go one.
func Extended(pat string) string { return translate(pat, true) }

// Basic turns a POSIX basic expression, with GNU's additions, into a Go one.
func Basic(pat string) string { return translate(pat, false) }

func translate(pat string, extended bool) string {
	var b strings.Builder
	start := true // where * is itself and ^ an anchor
	for i := 0; i < len(pat); i++ {
		c := pat[i]
		switch {
		case c == '[':
			end := bracketEnd(pat, i)
			b.WriteString(bracket(pat[i:end]))
			i = end - 1
			start = false
			continue
		case c == '\\' && i+1 < len(pat):
			i++
			switch d := pat[i]; {
			case strings.IndexByte("wWsSbB", d) >= 0:
				b.WriteString(`\` + string(d))
			case !extended && strings.IndexByte("(){}+?|", d) >= 0:
				b.WriteByte(d)
				start = d == '(' || d == '|'
				continue
			default:
				b.WriteString(regexp.QuoteMeta(string(d)))
			}
			start = false
			continue
		case !extended && strings.IndexByte("(){}+?|", c) >= 0:
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
			start = c == '^' && start || extended && (c == '(' || c == '|')
			continue
		}
		start = false
	}
	return b.String()
}

// bracketEnd is where the bracket expression at i ends.
func bracketEnd(pat string, i int) int {
	j := i + 1
	if j < len(pat) && pat[j] == '^' {
		j++
	}
	if j < len(pat) && pat[j] == ']' {
		j++
	}
	for j < len(pat) {
		if pat[j] == '[' && j+1 < len(pat) && (pat[j+1] == ':' || pat[j+1] == '.' || pat[j+1] == '=') {
			if end := strings.Index(pat[j+2:], string(pat[j+1])+"]"); end >= 0 {
				j += end + 4
				continue
			}
		}
		if pat[j] == ']' {
			return j + 1
		}
		j++
	}
	return len(pat)
}

// bracket makes a backslash ordinary, which it is between POSIX brackets.
func bracket(s string) string {
	body := strings.TrimPrefix(s[1:], "^")
	neg := s[1 : len(s)-len(body)]
	body = strings.ReplaceAll(body, `\`, `\\`)
	if strings.HasPrefix(body, "]") {
		body = `\` + body
	}
	// Go takes a [ inside as the beginning of a class only with a colon after it.
	return "[" + neg + body
}
