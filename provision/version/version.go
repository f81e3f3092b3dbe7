// Package version knows what a version number is: reading, ordering and finding one in a program's output.
package version

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is the numbers of a version: major, minor and, where it is known, patch. A nil Version is unknown.
type Version []int

// Parse reads 1.36 or 1.36.2 and nothing else.
func Parse(text string) (Version, error) {
	if !exact.MatchString(text) {
		return nil, fmt.Errorf("%q is not a version like 1.36.2", text)
	}
	return Find(text), nil
}

var (
	exact   = regexp.MustCompile(`^[0-9]{1,9}\.[0-9]{1,9}(\.[0-9]{1,9})?$`)
	pattern = regexp.MustCompile(`\b([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?`)
)

// Find gives the first version in a text, such as a program's answer to --version; nil if there is none.
func Find(text string) Version {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	var v Version
	for _, part := range m[1:] {
		if n, err := strconv.Atoi(part); err == nil {
			v = append(v, n)
		}
	}
	return v
}

// Less reports whether v comes before the version of those numbers; numbers that are left out do not count. An unknown
// version comes before every other.
func (v Version) Less(other ...int) bool {
	for i, n := range other {
		if i >= len(v) {
			return true
		}
		if v[i] != n {
			return v[i] < n
		}
	}
	return false
}

// String writes the numbers with dots.
func (v Version) String() string {
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ".")
}

// Minor is the series of a version: 1.36 of 1.36.2.
func Minor(text string) string {
	parts := strings.SplitN(text, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// Compare orders versions by their numbers: negative when a is older than b. What is not a number compares as text, as in edge-26.9.1.
func Compare(a, b string) int {
	as, bs := fields(a), fields(b)
	for i := range max(len(as), len(bs)) {
		x, y := "", ""
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		m, err1 := strconv.Atoi(x)
		n, err2 := strconv.Atoi(y)
		order := strings.Compare(x, y)
		if err1 == nil && err2 == nil {
			order = cmp.Compare(m, n)
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

func fields(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '-' || r == '+' || r == '~' })
}
