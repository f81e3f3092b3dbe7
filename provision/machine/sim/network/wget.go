package network

import (
	"context"
	"path"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func wget(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "O,output-document: q,quiet nv,no-verbose P,directory-prefix: T,timeout: t,tries: c,continue no-check-certificate S,server-response", option.GNU)
	if !ok {
		return 2
	}
	if len(o.Args) != 1 {
		p.Errorf("wget: missing URL")
		return 1
	}
	out := o.Or("O", path.Base(o.Args[0]))
	if dir := o.Value("P"); dir != "" {
		out = dir + "/" + out
	}
	args := []string{"curl", "-fsSL", "-o", out, o.Args[0]}
	if out == "-" {
		args = []string{"curl", "-fsSL", o.Args[0]}
	}
	p.Args = args
	switch code := curl(ctx, p); code {
	case 0:
		return 0
	case 22:
		return 8
	default:
		return 4
	}
}
