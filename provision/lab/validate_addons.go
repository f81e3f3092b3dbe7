package lab

import (
	"fmt"
	"net/netip"
	"slices"
)

// addons checks the add-ons of the cluster, and what only they read.
func (c *checker) addons() {
	k := c.lab.Kubernetes
	for i, addon := range k.Addons {
		path := fmt.Sprintf("kubernetes.addons[%d]", i)
		c.oneOf(path, addon, Addons())
		if slices.Contains(k.Addons[:i], addon) {
			c.bad(path, addon, "is named twice: leave it out here")
		}
	}
	if k.MetalLB != nil && !c.lab.HasAddon(AddonMetalLB) {
		c.bad("kubernetes.metallb", "", "has no use without the add-on metallb: add it to kubernetes.addons, or leave this out")
	} else if k.MetalLB != nil {
		c.pool(k.MetalLB.Pool)
	}
	unknown := slices.ContainsFunc(k.Addons, func(addon string) bool { return !slices.Contains(Addons(), addon) }) // may be nfs, misspelt
	if _, where := c.countRoles(); where[RoleNFS] != "" && !c.lab.HasAddon(AddonNFS) && !unknown && !c.at.silent("kubernetes.addons") {
		c.bad(where[RoleNFS], RoleNFS, "serves files that nothing uses: add nfs to kubernetes.addons, or leave the role out")
	}
}

// pool checks the addresses that MetalLB gives away.
func (c *checker) pool(text string) {
	const path = "kubernetes.metallb.pool"
	network, err := netip.ParsePrefix(c.lab.Network)
	if err != nil || !network.Addr().Is4() {
		return // network says it
	}
	free, ok := freePool(c.lab)
	instead := free.String()
	if !ok {
		c.bad("network", c.lab.Network, "has no address left for MetalLB: write a larger network, such as one with /%d", max(16, network.Bits()-4))
		return
	}
	p, err := ParsePool(text)
	switch {
	case err != nil:
		c.bad(path, text, "is not a range of addresses, first and last: write one such as %s", instead)
		return
	case !network.Contains(p.First) || !network.Contains(p.Last):
		c.bad(path, text, "is outside the network %s: write one such as %s", network, instead)
		return
	}
	taken := reserved(c.lab, network)
	for a := p.First; p.Contains(a); a = a.Next() {
		if whose := taken[a]; whose != "" {
			c.bad(path, text, "contains %s, which is %s: write one such as %s", a, whose, instead)
			return
		}
	}
}
