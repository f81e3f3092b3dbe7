package main

import (
	"fmt"
	"strconv"
	"strings"
)

// rangeFrom is how many numbered names in a row are written as a range.
const rangeFrom = 4

// listNames writes names for people, long rows of numbered ones as n1..n40. selectNodes takes such ranges, too.
func listNames(names []string) string { return joinNames(names, ", ") }

func joinNames(names []string, between string) string {
	var parts []string
	for len(names) > 0 {
		n := rowLength(names)
		if n >= rangeFrom {
			parts = append(parts, names[0]+".."+names[n-1])
		} else {
			n = 1
			parts = append(parts, names[0])
		}
		names = names[n:]
	}
	return strings.Join(parts, between)
}

// rowLength counts the names at the beginning that differ only by a number that grows by one.
func rowLength(names []string) int {
	prefix, number, ok := numbered(names[0])
	if !ok {
		return 1
	}
	for i, name := range names[1:] {
		if name != fmt.Sprintf("%s%d", prefix, number+i+1) {
			return i + 1
		}
	}
	return len(names)
}

// numbered splits a name into what stands before its last digits and their number.
func numbered(name string) (prefix string, number int, ok bool) {
	prefix = strings.TrimRight(name, "0123456789")
	digits := name[len(prefix):]
	if digits == "" || digits[0] == '0' && len(digits) > 1 {
		return "", 0, false
	}
	number, err := strconv.Atoi(digits)
	return prefix, number, err == nil
}

// maxRange bounds what a range can stand for: more nodes than a lab can have.
const maxRange = 10000

// spellOut lists the names that a word stands for: itself, or n1 to n40 for n1..n40.
func spellOut(word string) []string {
	first, last, ranged := strings.Cut(word, "..")
	prefix, from, ok1 := numbered(first)
	other, to, ok2 := numbered(last)
	if !ranged || !ok1 || !ok2 || prefix != other || to < from || to-from > maxRange {
		return []string{word}
	}
	var names []string
	for n := from; n <= to; n++ {
		names = append(names, fmt.Sprintf("%s%d", prefix, n))
	}
	return names
}
