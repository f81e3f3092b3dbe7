package lab

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

// Size is an amount of memory or disk in bytes, written as 512MiB or 2GiB.
type Size int64

// Units of Size.
const (
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// sizePattern is what the schema says of a size; ParseSize accepts the same.
const sizePattern = `^[1-9][0-9]*(MiB|GiB)$`

// ParseSize reads a whole number of MiB or GiB. Its errors say what to write instead.
func ParseSize(s string) (Size, error) {
	digits := strings.TrimRight(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ")
	unit := s[len(digits):]
	scale := GiB
	if unit == "MiB" {
		scale = MiB
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err == nil && n > 0 && n > math.MaxInt64/int64(scale):
		return 0, fmt.Errorf("is larger than any machine: write a size such as 2GiB")
	case err != nil || n <= 0 || digits[0] == '+' || digits[0] == '0' || (unit != "MiB" && unit != "GiB"):
		return 0, fmt.Errorf("is not a size: write %s", nearestSize(digits, unit))
	}
	return Size(n) * scale, nil
}

// nearestSize guesses what was meant by a number and a unit that do not make a size.
func nearestSize(digits, unit string) string {
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n <= 0 || n > 1<<20 {
		return "a whole number of MiB or GiB, such as 512MiB or 2GiB"
	}
	mebibytes := 0.0
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "g", "gb", "gi", "gib":
		mebibytes = n * 1024
	case "", "m", "mb", "mi", "mib":
		mebibytes = n
	case "t", "tb", "ti", "tib":
		mebibytes = n * 1024 * 1024
	}
	if mebibytes < 1 {
		return "a whole number of MiB or GiB, such as 512MiB or 2GiB"
	}
	return (Size(math.Round(mebibytes)) * MiB).String()
}

// String writes the size in GiB where it is a whole number of them, otherwise in MiB (rounded down); "0" for none.
func (s Size) String() string {
	switch {
	case s == 0:
		return "0"
	case s%GiB == 0:
		return fmt.Sprintf("%dGiB", s/GiB)
	default:
		return fmt.Sprintf("%dMiB", s/MiB)
	}
}

// MiB returns the size in whole mebibytes, rounded down.
func (s Size) MiB() int { return int(s / MiB) }

// MarshalText writes the size as lab.yaml has it.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Size) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*s = 0
		return nil
	}
	n, err := ParseSize(string(text))
	if err != nil {
		return fmt.Errorf("%q %w", text, err)
	}
	*s = n
	return nil
}

// JSONSchema tells editors how a size is written.
func (Size) JSONSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", Pattern: sizePattern, Examples: []any{"512MiB", "2GiB"}}
	explain(s, "write a whole number of MiB or GiB, such as 512MiB or 3GiB")
	return s
}
