package service

import (
	"context"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// promtool checks configurations and asks servers.
func promtool(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "syntax-only lint:", option.GNU)
	if !ok {
		return 3
	}
	args := o.Args
	switch {
	case len(args) == 3 && args[0] == "check" && args[1] == "config":
		p.Printf("Checking %s\n", args[2])
		if _, err := readPrometheus(p.Machine(), p.Cred, p.Path(args[2])); err != nil {
			p.Errorf("  FAILED: %v", err)
			return 1
		}
		p.Printf(" SUCCESS: %s is valid prometheus config file syntax\n\n", args[2])
		return 0
	case len(args) == 3 && args[0] == "check" && args[1] == "rules":
		p.Printf("Checking %s\n", args[2])
		if err := readRules(p.Machine(), p.Cred, p.Path(args[2])); err != nil {
			p.Errorf("  FAILED:\n%v", err)
			return 1
		}
		p.Print("  SUCCESS\n")
		return 0
	}
	return p.Fail(3, "the simulator's model has only: promtool check config FILE and promtool check rules FILE")
}
