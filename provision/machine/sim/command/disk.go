package command

import (
	"context"
	"os"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

const defaultDisk = 64 << 30

func diskUsage(p *guest.Process) (used, size int64) {
	used, size = p.FS().Usage()
	if size == 0 {
		size = max(defaultDisk, 2*used)
	}
	return used, size
}

func df(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "h,human-readable m B,block-size: output? l,local", option.GNU)
	if !ok {
		return usage
	}
	used, size := diskUsage(p)
	unit, suffix := int64(1024), "1K"
	switch {
	case o.Has("m"):
		unit, suffix = 1<<20, "1M"
	case o.Has("B"):
		n, err := parseSize(strings.TrimSuffix("1"+strings.TrimLeft(o.Value("B"), "1"), ""))
		if err != nil {
			return p.Fail(1, "invalid --block-size argument '%s'", o.Value("B"))
		}
		unit, suffix = n, o.Value("B")
	}
	show := func(n int64) string {
		if o.Has("h") {
			return human(n)
		}
		return strconv.FormatInt((n+unit-1)/unit, 10)
	}
	avail := max(size-used, 0)
	percent := strconv.FormatInt((used*100+size-1)/size, 10) + "%"
	if o.Has("output") {
		var head, row []string
		for col := range strings.SplitSeq(o.Value("output"), ",") {
			values := map[string][2]string{
				"source": {"Filesystem", "/dev/sda1"}, "fstype": {"Type", "ext4"}, "size": {suffix + "-blocks", show(size)}, "used": {"Used", show(used)},
				"avail": {"Avail", show(avail)}, "pcent": {"Use%", percent}, "target": {"Mounted on", "/"},
			}
			v, ok := values[col]
			if !ok {
				return p.Fail(usage, "the simulator's model has no column '%s'", col)
			}
			head, row = append(head, v[0]), append(row, v[1])
		}
		p.Printf("%s\n%s\n", strings.Join(head, " "), strings.Join(row, " "))
		return 0
	}
	for _, name := range o.Args {
		if _, err := p.FS().Stat(p.Cred, p.Path(name)); err != nil {
			return p.Fail(1, "%s: %s", name, guest.Reason(err))
		}
	}
	p.Printf("Filesystem     %s-blocks      Used Available Use%% Mounted on\n", suffix)
	p.Printf("/dev/sda1      %9s %9s %9s %4s /\n", show(size), show(used), show(avail), percent)
	return 0
}

func fallocate(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "l,length:", option.GNU)
	if !ok {
		return usage
	}
	size, err := parseSize(o.Value("l"))
	if err != nil || len(o.Args) != 1 {
		return p.Fail(1, "no length argument specified")
	}
	f, err := p.FS().Open(p.Cred, p.Path(o.Args[0]), os.O_WRONLY|os.O_CREATE, 0o666)
	if err == nil {
		err = f.Truncate(size)
		f.Close()
	}
	if err != nil {
		return p.Fail(1, "fallocate failed: %s", guest.Reason(err))
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
