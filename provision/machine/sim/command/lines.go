package command

import (
	"context"
	"slices"

	"podium/provision/machine/sim/guest"
)

func tac(_ context.Context, p *guest.Process) int {
	all, code := gather(p, p.Args[1:])
	for _, l := range slices.Backward(all) {
		p.Print(l + "\n")
	}
	return code
}

func rev(_ context.Context, p *guest.Process) int {
	all, code := gather(p, p.Args[1:])
	for _, l := range all {
		r := []rune(l)
		slices.Reverse(r)
		p.Print(string(r) + "\n")
	}
	return code
}

func nl(_ context.Context, p *guest.Process) int {
	all, code := gather(p, p.Args[1:])
	for i, l := range all {
		p.Printf("%6d\t%s\n", i+1, l)
	}
	return code
}
