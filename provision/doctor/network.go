package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"podium/provision/lab"
	"podium/provision/machine/vagrant"
)

// network compares the lab's network with those that this computer is part of, and with what VirtualBox allows.
func (c *checkup) network() {
	network, err := netip.ParsePrefix(c.n.Lab.Network)
	if err != nil {
		return // a matter of the description
	}
	c.allowedRange(network)
	c.takenNetwork(network)
	var busy []string
	for _, address := range c.f.AddressesTaken {
		for _, m := range c.n.Machines {
			if m.Address.String() == address && !c.running(m.Name) {
				busy = append(busy, address)
			}
		}
	}
	if len(busy) > 0 {
		c.add(Blocks, "address-taken", strings.Join(busy, ", "))
	}
	for _, m := range c.n.Machines {
		if port := c.n.Ports[m.Name]; port != 0 && slices.Contains(c.f.PortsTaken, port) && !c.running(m.Name) {
			c.add(Note, "port-taken", port, m.Name)
		}
	}
}

// allowedRange: since 6.1.28 VirtualBox on Linux and macOS (there until 7.0) makes host-only networks only where
// /etc/vbox/networks.conf allows them, by default in 192.168.56.0/21 (VirtualBox manual, 6.7 Host-Only Networking).
func (c *checkup) allowedRange(network netip.Prefix) {
	has := parseVersion(c.out(vboxVersion))
	if c.n.provider() != lab.ProviderVirtualBox || has == nil || has.Less(6, 1, 28) || c.f.OS == "windows" ||
		c.f.OS == "darwin" && !has.Less(7, 0) {
		return
	}
	ranges := []netip.Prefix{netip.MustParsePrefix("192.168.56.0/21")}
	if !c.missing(vboxNetworks) {
		ranges = parseNetworks(c.out(vboxNetworks))
	}
	for _, r := range ranges {
		if r.Bits() <= network.Bits() && r.Contains(network.Addr()) {
			return
		}
	}
	allowed := make([]string, len(ranges))
	for i, r := range ranges {
		allowed[i] = r.String()
	}
	c.add(Blocks, "range", network, strings.Join(allowed, ", "))
}

// parseNetworks reads /etc/vbox/networks.conf: lines of "* 10.0.0.0/8 192.168.0.0/16"; others are comments.
func parseNetworks(text string) []netip.Prefix {
	var ranges []netip.Prefix
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "*")
		if !ok {
			continue
		}
		for _, word := range strings.Fields(rest) {
			if p, err := netip.ParsePrefix(word); err == nil {
				ranges = append(ranges, p)
			}
		}
	}
	return ranges
}

// takenNetwork looks for the lab's network on cards that are not VirtualBox's own host-only ones, and among routes.
func (c *checkup) takenNetwork(network netip.Prefix) {
	hostOnly := c.hostOnlyCards()
	own := func(name string) bool {
		return hostOnly[name] || strings.HasPrefix(name, "vboxnet") || strings.Contains(name, "VirtualBox Host-Only") ||
			c.n.provider() == lab.ProviderLibvirt && strings.HasPrefix(name, "virbr")
	}
	cards := map[string]bool{}
	for _, card := range c.f.Interfaces {
		for _, p := range card.Prefixes {
			if p.Overlaps(network) && !own(card.Name) && !bridgeOfMac(c.f.OS, card.Name, p, network) {
				c.add(Blocks, "network-taken", network, card.Name, p)
				cards[card.Name] = true
			}
		}
	}
	for _, r := range c.routes() {
		if r.to.Bits() > 0 && r.to.Overlaps(network) && r.to.Bits() > 1 && !own(r.card) && !cards[r.card] &&
			!bridgeOfMac(c.f.OS, r.card, r.to, network) {
			c.add(Warning, "network-routed", network, r.to, r.card)
			cards[r.card] = true
		}
	}
}

// hostOnlyCards are the names of VirtualBox's own cards. Windows names a card as the user's connection ("Ethernet 3"),
// VBoxManage by its driver: there only the address is the same.
func (c *checkup) hostOnlyCards() map[string]bool {
	names := map[string]bool{}
	for name, own := range vagrant.ParseHostOnly(c.out(vboxHostOnly)) {
		names[name] = true
		for _, card := range c.f.Interfaces {
			if slices.ContainsFunc(card.Prefixes, func(p netip.Prefix) bool { return p.Addr() == own.Addr() }) {
				names[card.Name] = true
			}
		}
	}
	return names
}

// bridgeOfMac tells the card by which macOS shows VirtualBox's host-only network: bridge100 and on.
func bridgeOfMac(os, card string, p, network netip.Prefix) bool {
	return os == "darwin" && strings.HasPrefix(card, "bridge1") && p.Masked() == network.Masked()
}

// route is a line of the routing table.
type route struct {
	to   netip.Prefix
	card string
}

func (c *checkup) routes() []route {
	switch c.f.OS {
	case "linux":
		return parseLinuxRoutes(c.out(linuxRoutes))
	case "windows":
		return parseWindowsRoutes(c.out(windowsRoutes))
	case "darwin":
		return parseMacRoutes(c.out(macRoutes))
	}
	return nil
}
