package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
)

func ipRoute(p *guest.Process, args []string) int {
	t := tablesOf(p.Kernel)
	t.mu.Lock()
	defer t.mu.Unlock()
	verb := "show"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	private := ""
	var lan netip.Prefix
	for _, c := range cards(p.Machine()) {
		if c.name == "eth1" {
			lan = c.prefix.Masked()
			private = fmt.Sprintf("%s dev eth1 proto kernel scope link src %s", lan, c.prefix.Addr())
		}
	}
	fixed := []string{
		"default via 10.0.2.2 dev eth0 proto dhcp src " + natAddress + " metric 100", "10.0.2.0/24 dev eth0 proto kernel scope link src " + natAddress + " metric 100", private,
	}
	switch verb {
	case "show", "list":
		return showRoutes(p, t, fixed, args)
	case "get":
		if len(args) == 0 {
			p.Errorf("need at least a destination address")
			return 1
		}
		a, err := netip.ParseAddr(args[0])
		switch {
		case err != nil:
			p.Errorf("Error: any valid prefix is expected rather than \"%s\".", args[0])
			return 1
		case lan.IsValid() && lan.Contains(a):
			p.Printf("%s dev eth1 src %s uid 0\n    cache\n", a, p.Machine().Hardware.Address)
		default:
			p.Printf("%s via 10.0.2.2 dev eth0 src %s uid 0\n    cache\n", a, natAddress)
		}
		return 0
	case "add", "replace", "append", "change", "delete", "del":
		if p.Cred.UID != 0 {
			p.Errorf("RTNETLINK answers: Operation not permitted")
			return 2
		}
		if len(args) == 0 {
			p.Errorf("Command line is not complete. Try option \"help\"")
			return 255
		}
		return changeRoute(p, t, lan, verb, args)
	case "flush":
		clear(t.routes)
		return 0
	}
	p.Errorf("Command \"%s\" is unknown (or one the simulator's model of ip route does not have), try \"ip route help\".", verb)
	return 255
}

func changeRoute(p *guest.Process, t *tables, lan netip.Prefix, verb string, args []string) int {
	dest, rest := args[0], strings.Join(args[1:], " ")
	if dest != "default" {
		if _, err := netip.ParsePrefix(dest); err != nil {
			if _, err := netip.ParseAddr(dest); err != nil {
				p.Errorf("Error: any valid prefix is expected rather than \"%s\".", dest)
				return 1
			}
		}
	}
	_, there := t.routes[dest]
	if verb == "delete" || verb == "del" {
		if !there {
			p.Errorf("RTNETLINK answers: No such process")
			return 2
		}
		delete(t.routes, dest)
		return 0
	}
	if verb == "add" && there {
		p.Errorf("RTNETLINK answers: File exists")
		return 2
	}
	if i := slices.Index(args, "via"); i >= 0 && i+1 < len(args) {
		via, err := netip.ParseAddr(args[i+1])
		if err != nil || !lan.Contains(via) && !netip.MustParsePrefix("10.0.2.0/24").Contains(via) {
			p.Errorf("Error: Nexthop has invalid gateway.")
			return 2
		}
		if !slices.Contains(args, "dev") {
			rest += " dev eth1"
		}
	}
	t.routes[dest] = rest
	return 0
}

func showRoutes(p *guest.Process, t *tables, fixed, args []string) int {
	var root netip.Prefix
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "root", "match", "exact", "to":
			if i+1 < len(args) {
				i++
				root, _ = netip.ParsePrefix(args[i])
			}
		default:
			if prefix, err := netip.ParsePrefix(args[i]); err == nil {
				root = prefix
			} else if args[i] == "default" {
				p.Print(fixed[0] + "\n")
				return 0
			}
		}
	}
	lines := slices.Clone(fixed)
	for dest, rest := range t.routes {
		lines = append(lines, strings.TrimSpace(dest+" "+rest))
	}
	slices.Sort(lines[3:])
	for _, l := range lines {
		dest, _, _ := strings.Cut(l, " ")
		if root.IsValid() {
			prefix, err := netip.ParsePrefix(dest)
			if err != nil || !root.Contains(prefix.Addr()) || prefix.Bits() < root.Bits() {
				continue
			}
		}
		if l != "" {
			p.Print(l + " \n")
		}
	}
	return 0
}
