package network

import (
	"context"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
)

// iptables keeps rules; they filter nothing.
func iptables(_ context.Context, p *guest.Process) int {
	args := p.Args[1:]
	if len(args) == 1 && (args[0] == "--version" || args[0] == "-V") {
		p.Print("iptables v1.8.10 (nf_tables)\n")
		return 0
	}
	if p.Cred.UID != 0 {
		return p.Fail(4, "v1.8.10 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)")
	}
	t := tablesOf(p.Kernel)
	t.mu.Lock()
	defer t.mu.Unlock()
	table, verb := "filter", ""
	var rule []string
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-t", "--table":
			i++
			table = args[min(i, len(args)-1)]
		case "-w", "--wait":
		case "-A", "--append", "-C", "--check", "-D", "--delete", "-I", "--insert", "-L", "--list", "-S", "--list-rules", "-F", "--flush", "-N", "--new-chain", "-P", "--policy":
			verb = args[i]
		default:
			rule = append(rule, args[i])
		}
	}
	line := table + " " + strings.Join(rule, " ")
	at := slices.Index(t.rules, line)
	switch verb {
	case "-A", "--append", "-I", "--insert":
		t.rules = append(t.rules, line)
	case "-C", "--check":
		if at < 0 {
			p.Errorf("iptables: Bad rule (does a matching rule exist in that chain?).")
			return 1
		}
	case "-D", "--delete":
		if at < 0 {
			p.Errorf("iptables: Bad rule (does a matching rule exist in that chain?).")
			return 1
		}
		t.rules = slices.Delete(t.rules, at, at+1)
	case "-N", "--new-chain", "-P", "--policy":
	default:
		p.Errorf("iptables v1.8.10 (nf_tables): no command specified (or one the simulator's model does not have)")
		return 2
	}
	return 0
}
