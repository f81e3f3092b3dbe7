package command

import (
	"context"
	"os"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func truncate(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,size: c,no-create", option.GNU)
	if !ok {
		return usage
	}
	size, err := parseSize(o.Value("s"))
	if err != nil {
		return p.Fail(1, "Invalid number: ‘%s’", o.Value("s"))
	}
	for _, name := range o.Args {
		f, err := p.FS().Open(p.Cred, p.Path(name), os.O_WRONLY|os.O_CREATE, 0o666)
		if err == nil {
			err = f.Truncate(size)
			f.Close()
		}
		if err != nil {
			return p.Fail(1, "failed to truncate '%s' at %d bytes: %s", name, size, guest.Reason(err))
		}
	}
	return 0
}

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
