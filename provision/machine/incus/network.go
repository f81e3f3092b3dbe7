package incus

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"podium/provision/lab"
)

// network is what the API says of a network:
// https://linuxcontainers.org/incus/docs/main/api/#/networks/network_get
type network struct {
	Name    string            `json:"name"`
	Type    string            `json:"type"`
	Managed bool              `json:"managed"`
	Status  string            `json:"status"`
	Config  map[string]string `json:"config"`
	UsedBy  []string          `json:"used_by"`
}

func (n network) ours(at place) bool {
	return n.Managed && n.Config[keyLab] == at.Lab && n.Config[keyOwner] == at.Owner
}

// networks lists the server's networks, its own cards among them. Bridges belong to the default project, whatever the
// lab's: only networks of type ovn can be a project's own.
func (p *Provider) networks(ctx context.Context) ([]network, error) {
	var all []network
	err := p.client.queryIn(ctx, "default", "GET", "/1.0/networks?recursion=1", nil, &all)
	return all, p.explain("listing networks", err)
}

// network returns the name of the lab's network and makes it where it is missing.
func (p *Provider) network(ctx context.Context, all []network) (string, error) {
	subnet, err := netip.ParsePrefix(p.spec.Lab.Network)
	if err != nil {
		return "", fmt.Errorf("network %q: %w", p.spec.Lab.Network, err)
	}
	subnet = subnet.Masked()
	for _, n := range all {
		if !n.ours(p.place) {
			continue
		}
		has, err := netip.ParsePrefix(n.Config["ipv4.address"])
		if err != nil || has.Masked() != subnet {
			return "", &Error{Doing: "network " + n.Name,
				Text: fmt.Sprintf("the lab's machines are in %s, lab.yaml says %s", has.Masked(), subnet),
				Hint: "write network: " + has.Masked().String() + ", or destroy the lab and make it again"}
		}
		n, there, err := p.networkMade(ctx, n)
		if err != nil {
			return "", err
		}
		if !there {
			all = slices.DeleteFunc(slices.Clone(all), func(gone network) bool { return gone.Name == n.Name })
			break
		}
		if n.Status == "Errored" {
			return "", &Error{Doing: "network " + n.Name, Text: "it could not be started", Hint: "incus network info " + n.Name + "; journalctl -u incus"}
		}
		return n.Name, nil
	}
	if err := p.free(ctx, all, subnet); err != nil {
		return "", err
	}
	name := networkName(p.place.Lab, p.place.Owner)
	gateway, err := gatewayOf(subnet, p.spec.Machines)
	if err != nil {
		return "", err
	}
	body := map[string]any{
		"name": name, "type": "bridge", "description": "podium lab " + p.place.Lab,
		"config": map[string]string{
			keyLab: p.place.Lab, keyOwner: p.place.Owner,
			"ipv4.address": netip.PrefixFrom(gateway, subnet.Bits()).String(),
			"ipv4.nat":     "true",
			"ipv6.address": "none",
		},
	}
	if p.clustered {
		if err := p.announce(ctx, name); err != nil {
			return "", err
		}
	}
	return name, p.explain("making network "+subnet.String(), p.client.queryIn(ctx, "default", "POST", "/1.0/networks", body, nil))
}

// announce names a network on every member of a cluster, which Incus asks for before it makes it.
func (p *Provider) announce(ctx context.Context, name string) error {
	var members []struct {
		Name string `json:"server_name"`
	}
	if err := p.client.query(ctx, "GET", "/1.0/cluster/members?recursion=1", nil, &members); err != nil {
		return p.explain("listing the cluster's members", err)
	}
	for _, m := range members {
		path := "/1.0/networks?target=" + url.QueryEscape(m.Name)
		err := p.client.queryIn(ctx, "default", "POST", path, map[string]string{"name": name, "type": "bridge"}, nil)
		if err != nil && !says(err, "already") {
			return p.explain("making network "+name+" on "+m.Name, err)
		}
	}
	return nil
}

// free reports an error when another network of the server, or one of its own cards, has addresses of the subnet: both
// would work badly, and Incus takes the second without a word.
func (p *Provider) free(ctx context.Context, all []network, subnet netip.Prefix) error {
	for _, n := range all {
		has := []string{n.Config["ipv4.address"]}
		owner := n.Config[keyOwner]
		if !n.Managed && n.Type != "loopback" && !strings.HasPrefix(n.Name, "veth") {
			var err error
			if has, err = p.cardAddresses(ctx, n.Name); err != nil {
				return err
			}
		}
		for _, text := range has {
			other, err := netip.ParsePrefix(text)
			if err != nil || !other.Masked().Overlaps(subnet) {
				continue
			}
			what := "network " + n.Name
			if owner != "" {
				what = fmt.Sprintf("network %s of lab %s (%s)", n.Name, n.Config[keyLab], owner)
			}
			return &Error{Doing: "network " + subnet.String(), Kind: ErrNetworkTaken,
				Text: fmt.Sprintf("%s has %s", what, other.Masked()),
				Hint: "write another network: in lab.yaml, such as 10.57.0.0/24"}
		}
	}
	return nil
}

// cardAddresses are the IPv4 addresses of a network card of the server, with their prefix lengths.
func (p *Provider) cardAddresses(ctx context.Context, card string) ([]string, error) {
	var state struct {
		Addresses []struct {
			Family  string `json:"family"`
			Address string `json:"address"`
			Netmask string `json:"netmask"`
		} `json:"addresses"`
	}
	err := p.client.queryIn(ctx, "default", "GET", "/1.0/networks/"+url.PathEscape(card)+"/state", nil, &state)
	if err != nil {
		return nil, p.explain("asking for the addresses of "+card, err)
	}
	var has []string
	for _, a := range state.Addresses {
		if a.Family == "inet" {
			has = append(has, a.Address+"/"+a.Netmask)
		}
	}
	return has, nil
}

// gatewayOf chooses the server's own address in the lab's network: the first, or the last if a machine has the first.
func gatewayOf(subnet netip.Prefix, machines []lab.Machine) (netip.Addr, error) {
	taken := map[netip.Addr]bool{}
	for _, m := range machines {
		taken[m.Address] = true
	}
	first := subnet.Addr().Next()
	last := broadcast(subnet).Prev()
	for _, a := range []netip.Addr{first, last} {
		if subnet.Contains(a) && !taken[a] {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("network %s: machines have both %s and %s: leave one of them to the gateway", subnet, first, last)
}

// broadcast is the last address of an IPv4 subnet.
func broadcast(subnet netip.Prefix) netip.Addr {
	b := subnet.Addr().As4()
	for bit := subnet.Bits(); bit < 32; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(b)
}
