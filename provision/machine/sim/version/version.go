// Package version orders version numbers as dpkg and sort -V do.
package version

// Compare compares upstream versions or revisions; its result is below, equal to or above 0: runs of digits by value, ~ before everything, letters before
// other characters (deb-version(7)).
func Compare(a, b string) int {
	i, j := 0, 0
	digit := func(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i < len(a) || j < len(b) {
		for i < len(a) && !digit(a, i) || j < len(b) && !digit(b, j) {
			if x, y := weight(a, i), weight(b, j); x != y {
				return x - y
			}
			i++
			j++
		}
		for i < len(a) && a[i] == '0' {
			i++
		}
		for j < len(b) && b[j] == '0' {
			j++
		}
		diff := 0
		for digit(a, i) && digit(b, j) {
			if diff == 0 {
				diff = int(a[i]) - int(b[j])
			}
			i++
			j++
		}
		switch {
		case digit(a, i):
			return 1
		case digit(b, j):
			return -1
		case diff != 0:
			return diff
		}
	}
	return 0
}

func weight(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	switch c := s[i]; {
	case c >= '0' && c <= '9':
		return 0
	case c == '~':
		return -1
	case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
		return int(c)
	default:
		return int(c) + 256
	}
}
