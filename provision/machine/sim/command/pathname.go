package command

import (
	"context"
	"path"
	"strings"

	"podium/provision/machine/sim/guest"
)

func basename(_ context.Context, p *guest.Process) int {
	if len(p.Args) != 2 && len(p.Args) != 3 {
		return p.Fail(1, "missing or extra operand")
	}
	base := path.Base(p.Args[1])
	if len(p.Args) == 3 && base != p.Args[2] {
		base = strings.TrimSuffix(base, p.Args[2])
	}
	p.Print(base + "\n")
	return 0
}

func dirname(_ context.Context, p *guest.Process) int {
	if len(p.Args) != 2 {
		return p.Fail(1, "missing or extra operand")
	}
	p.Print(path.Dir(p.Args[1]) + "\n")
	return 0
}
