package catalogue

import (
	"cmp"
	"strconv"
	"strings"
)

// Compare orders versions by their numbers: negative when a is older than b. What is not a number compares as text.
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

func fields(version string) []string {
	return strings.FieldsFunc(version, func(r rune) bool { return r == '.' || r == '-' || r == '+' || r == '~' })
}
