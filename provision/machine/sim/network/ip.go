// Package network models the commands that show, use and change a node's network: two cards (eth0 behind NAT, the same
// on every node, and eth1 in the lab's network), names, HTTP, packet filters.
package network

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/kernel"
	"podium/provision/machine/sim/option"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"ip": ip, "ss": ss, "ping": ping, "nc": nc, "curl": curl, "wget": wget, "iptables": iptables, "iptables-save": succeed,
		"iptables-restore": succeed, "conntrack": succeed, "ethtool": succeed, "ipset": succeed, "ipvsadm": succeed, "ebtables": succeed,
		"ssh-keyscan": succeed, "lsb_release": lsbRelease,
	}
}

func succeed(context.Context, *guest.Process) int { return 0 }

// natAddress is the address of eth0, behind NAT, on every node alike: what VirtualBox gives.
const natAddress = "10.0.2.15"

// tables are the routes and filter rules that were added since boot.
type tables struct {
	mu     sync.Mutex
	routes map[string]string // destination: rest of the line
	rules  []string
	links  []string
}

type tablesKey struct{}

func tablesOf(k *guest.Kernel) *tables {
	return guest.Value(k, tablesKey{}, func() *tables { return &tables{routes: map[string]string{}} })
}

// card is one interface.
type card struct {
	index    int
	name     string
	prefix   netip.Prefix
	mac      string
	loopback bool
}

func cards(m *guest.Machine) []card {
	list := []card{
		{1, "lo", netip.MustParsePrefix("127.0.0.1/8"), "00:00:00:00:00:00", true},
		{2, "eth0", netip.MustParsePrefix(natAddress + "/24"), "08:00:27:00:00:01", false},
	}
	bits := 24
	if n, err := netip.ParsePrefix(m.Hardware.Network); err == nil {
		bits = n.Bits()
	}
	if a, err := netip.ParseAddr(m.Hardware.Address); err == nil {
		list = append(list, card{3, "eth1", netip.PrefixFrom(a, bits), kernel.MAC(m), false})
	}
	return list
}

func ip(_ context.Context, p *guest.Process) int {
	args := p.Args[1:]
	oneline, brief, jsonOut := false, false, false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-o", "-oneline":
			oneline = true
		case "-br", "-brief":
			brief = true
		case "-4", "-6", "-c", "-color", "-d", "-s", "-h", "-details":
			if args[0] == "-6" {
				return 0
			}
		case "-j", "-json", "-p":
			jsonOut = true
		default:
			p.Errorf("Option \"%s\" is unknown (or one the simulator's model of ip does not have), try \"ip -help\".", args[0])
			return 255
		}
		args = args[1:]
	}
	if jsonOut {
		p.Errorf("ip: the simulator's model has no -json")
		return 255
	}
	if len(args) == 0 {
		p.Errorf("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }")
		return 255
	}
	switch object := args[0]; {
	case strings.HasPrefix("address", object):
		return ipAddress(p, args[1:], oneline, brief)
	case strings.HasPrefix("route", object):
		return ipRoute(p, args[1:])
	case strings.HasPrefix("link", object):
		return ipLink(p, args[1:], oneline, brief)
	case strings.HasPrefix("neighbour", object), strings.HasPrefix("rule", object):
		return 0
	}
	p.Errorf("Object \"%s\" is unknown (or one the simulator's model of ip does not have), try \"ip help\".", args[0])
	return 255
}

func ipAddress(p *guest.Process, args []string, oneline, brief bool) int {
	if len(args) > 0 && (args[0] == "show" || args[0] == "list") {
		args = args[1:]
	}
	var dev string
	var to netip.Prefix
	for len(args) > 0 {
		switch {
		case args[0] == "dev" && len(args) > 1:
			dev, args = args[1], args[2:]
		case args[0] == "to" && len(args) > 1:
			prefix, err := netip.ParsePrefix(args[1])
			if err != nil {
				a, err := netip.ParseAddr(args[1])
				if err != nil {
					p.Errorf("Error: any valid prefix is expected rather than \"%s\".", args[1])
					return 1
				}
				prefix = netip.PrefixFrom(a, a.BitLen())
			}
			to, args = prefix, args[2:]
		case args[0] == "up":
			args = args[1:]
		case args[0] == "scope" && len(args) > 1:
			args = args[2:]
		case dev == "" && !strings.HasPrefix(args[0], "add") && !strings.HasPrefix(args[0], "del"):
			dev, args = args[0], args[1:]
		default:
			p.Errorf("ip address: the simulator's model does not know: %s", strings.Join(args, " "))
			return 255
		}
	}
	found := false
	for _, c := range cards(p.Machine()) {
		if dev != "" && c.name != dev {
			continue
		}
		found = true
		if to.IsValid() && !to.Contains(c.prefix.Addr()) {
			continue
		}
		scope := "global"
		if c.loopback {
			scope = "host"
		}
		switch {
		case brief:
			p.Printf("%-16s UP             %s \n", c.name, c.prefix)
		case oneline:
			p.Printf("%d: %s    inet %s %sscope %s %s\\       valid_lft forever preferred_lft forever\n", c.index, c.name, c.prefix, broadcast(c), scope, c.name)
		default:
			p.Printf("%d: %s: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n    link/ether %s brd ff:ff:ff:ff:ff:ff\n"+
				"    inet %s %sscope %s %s\n       valid_lft forever preferred_lft forever\n", c.index, c.name, c.mac, c.prefix, broadcast(c), scope, c.name)
		}
	}
	if !found {
		p.Errorf("Device \"%s\" does not exist.", dev)
		return 1
	}
	return 0
}

func broadcast(c card) string {
	if c.loopback {
		return ""
	}
	b := c.prefix.Masked().Addr().As4()
	host := 32 - c.prefix.Bits()
	for i := 3; i >= 0 && host > 0; i-- {
		n := min(host, 8)
		b[i] |= byte(1<<n - 1)
		host -= n
	}
	return "brd " + netip.AddrFrom4(b).String() + " "
}

func ipLink(p *guest.Process, args []string, oneline, brief bool) int {
	t := tablesOf(p.Kernel)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(args) > 0 {
		switch args[0] {
		case "add":
			name := args[1]
			if name == "name" || name == "dev" || name == "link" {
				name = args[2]
			}
			t.links = append(t.links, name)
			return 0
		case "delete", "del":
			t.links = slices.DeleteFunc(t.links, func(l string) bool { return l == args[len(args)-1] })
			return 0
		case "set":
			return 0
		case "show", "list":
			args = args[1:]
		}
	}
	if len(args) > 0 && args[0] == "dev" {
		args = args[1:]
	}
	found := false
	show := func(i int, name, mac string) {
		if len(args) > 0 && args[0] != name {
			return
		}
		found = true
		sep := "\n    "
		if oneline {
			sep = `\    `
		}
		if brief {
			p.Printf("%-16s UP             %s <BROADCAST,MULTICAST,UP,LOWER_UP> \n", name, mac)
			return
		}
		p.Printf("%d: %s: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT group default qlen 1000%slink/ether %s brd ff:ff:ff:ff:ff:ff\n", i, name, sep, mac)
	}
	for _, c := range cards(p.Machine()) {
		show(c.index, c.name, c.mac)
	}
	for i, l := range t.links {
		show(4+i, l, "02:00:00:00:00:01")
	}
	if !found {
		p.Errorf("Device \"%s\" does not exist.", args[0])
		return 1
	}
	return 0
}

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
		case "dev", "proto", "scope", "table":
			i++
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

func ss(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "t,tcp l,listening n,numeric p,processes u,udp a,all H,no-header 4,ipv4 6,ipv6 x", option.GNU)
	if !ok {
		return 255
	}
	if !o.Has("H") {
		p.Print("State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n")
	}
	ports := append(p.Kernel.Ports(), 22)
	slices.Sort(ports)
	for _, port := range ports {
		if len(o.Args) > 0 && !strings.Contains(strings.Join(o.Args, " "), fmt.Sprint(":", port)) {
			continue
		}
		p.Printf("LISTEN 0      4096         0.0.0.0:%d       0.0.0.0:*\n", port)
	}
	return 0
}

func ping(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c: W: w: i: q n 4 I: s:", option.GNU)
	if !ok {
		return 2
	}
	if len(o.Args) != 1 {
		return p.Fail(2, "usage error: Destination address required")
	}
	m := p.Machine()
	address, ok := m.Resolve(ctx, o.Args[0])
	if !ok {
		return p.Fail(2, "%s: Temporary failure in name resolution", o.Args[0])
	}
	own := address == m.Hardware.Address || strings.HasPrefix(address, "127.") || address == natAddress
	alive := own || m.Net.Peer(address) != nil || !inLab(m, address) && !m.Faults.Offline(m)
	p.Printf("PING %s (%s) 56(84) bytes of data.\n", o.Args[0], address)
	if alive {
		p.Printf("64 bytes from %s: icmp_seq=1 ttl=64 time=0.3 ms\n", address)
	}
	p.Printf("\n--- %s ping statistics ---\n1 packets transmitted, %d received (simulated)\n", o.Args[0], map[bool]int{true: 1}[alive])
	if !alive {
		return 1
	}
	return 0
}

func inLab(m *guest.Machine, address string) bool {
	n, err := netip.ParsePrefix(m.Hardware.Network)
	a, err2 := netip.ParseAddr(address)
	return err == nil && err2 == nil && n.Contains(a)
}

func nc(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "z v w: u n N q: 4", option.GNU)
	if !ok {
		return 1
	}
	if len(o.Args) != 2 {
		return p.Fail(1, "missing host or port")
	}
	var port int
	fmt.Sscan(o.Args[1], &port)
	if port == 22 {
		if address, found := p.Machine().Resolve(ctx, o.Args[0]); found && (p.Machine().Net.Peer(address) != nil || strings.HasPrefix(address, "127.")) {
			return 0
		}
	}
	if _, err := p.Machine().Net.Dial(ctx, p.Machine(), o.Args[0], port); err != nil {
		if o.Has("v") {
			p.Errorf("nc: connect to %s port %d (tcp) failed: Connection refused", o.Args[0], port)
		}
		return 1
	}
	if o.Has("v") {
		p.Errorf("Connection to %s %d port [tcp/*] succeeded!", o.Args[0], port)
	}
	return 0
}

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
	case "-L", "--list", "-S", "--list-rules":
		for _, r := range t.rules {
			if rest, ok := strings.CutPrefix(r, table+" "); ok {
				p.Print("-A " + rest + "\n")
			}
		}
	case "-F", "--flush":
		t.rules = slices.DeleteFunc(t.rules, func(r string) bool { return strings.HasPrefix(r, table+" ") })
	case "-N", "--new-chain", "-P", "--policy":
	default:
		p.Errorf("iptables v1.8.10 (nf_tables): no command specified (or one the simulator's model does not have)")
		return 2
	}
	return 0
}

func lsbRelease(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,codename s,short i,id r,release d,description a,all", option.GNU)
	if !ok {
		return 1
	}
	text, _ := p.FS().ReadFile(p.Cred, "/etc/os-release")
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		fields[k] = strings.Trim(v, `"`)
	}
	for _, f := range []struct{ flag, label, value string }{
		{"i", "Distributor ID", fields["NAME"]}, {"d", "Description", fields["PRETTY_NAME"]}, {"r", "Release", fields["VERSION_ID"]}, {"c", "Codename", fields["VERSION_CODENAME"]},
	} {
		if !o.Has(f.flag) && !o.Has("a") {
			continue
		}
		if o.Has("s") {
			p.Print(f.value + "\n")
		} else {
			p.Printf("%s:\t%s\n", f.label, f.value)
		}
	}
	return 0
}
