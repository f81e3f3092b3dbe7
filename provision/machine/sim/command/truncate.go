package command

import (
	"strconv"
	"strings"
)

// parseSize reads 10, 4k, 1M, 2G, 1MB.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "kKmMgGtTiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, err
	}
	unit := strings.ToUpper(s[len(digits):])
	base := int64(1024)
	if len(unit) == 2 && unit[1] == 'B' {
		base = 1000
	}
	switch strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I") {
	case "":
		return n, nil
	case "K":
		return n * base, nil
	case "M":
		return n * base * base, nil
	case "G":
		return n * base * base * base, nil
	case "T":
		return n * base * base * base * base, nil
	}
	return 0, strconv.ErrSyntax
}
