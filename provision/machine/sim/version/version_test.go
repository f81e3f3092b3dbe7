package version

import "testing"

// TestCompare follows the examples of deb-version(7) and versions that the scripts meet.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0},
		{"1.9", "1.10", -1},
		{"1.36.3-1.1", "1.36.10-1.1", -1},
		{"1.0~rc1", "1.0", -1},
		{"1.0~~", "1.0~", -1},
		{"1.0a", "1.0+b", -1},
		{"1.007", "1.7", 0},
		{"2", "10", -1},
		{"", "0", 0},
	} {
		for _, turned := range []bool{false, true} {
			a, b, want := c.a, c.b, c.want
			if turned {
				a, b, want = b, a, -want
			}
			if got := sign(Compare(a, b)); got != want {
				t.Errorf("Compare(%q, %q) has sign %d, want %d", a, b, got, want)
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
