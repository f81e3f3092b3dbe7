package main

import (
	"cmp"
	"strings"
)

// naturalOrder compares names so that w2 comes before w10.
func naturalOrder(a, b string) int { return cmp.Or(byNumbers(a, b), cmp.Compare(a, b)) }

func byNumbers(a, b string) int {
	for a != "" && b != "" {
		if isDigit(a[0]) && isDigit(b[0]) {
			na, restA := leadingNumber(a)
			nb, restB := leadingNumber(b)
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), cmp.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// leadingNumber splits a name after its leading digits, zeros in front left out.
func leadingNumber(s string) (digits, rest string) {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return strings.TrimLeft(s[:end], "0"), s[end:]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
