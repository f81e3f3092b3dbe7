package command

import (
	"context"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/version"
)

func sortLines(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,unique V,version-sort", option.GNU)
	if !ok {
		return usage
	}
	all, code := gather(p, o.Args)
	compare := strings.Compare
	if o.Has("V") {
		compare = version.Compare
	}
	slices.SortStableFunc(all, compare)
	if o.Has("u") {
		all = slices.Compact(all)
	}
	for _, line := range all {
		p.Print(line + "\n")
	}
	return code
}
