package lab

// Size is an amount of memory or disk in bytes, written as 512MiB or 2GiB.
type Size int64

// Units of Size.
const (
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// MiB returns the size in whole mebibytes, rounded down.
func (s Size) MiB() int { return int(s / MiB) }
