package guest

import (
	"slices"
	"sync"
)

// Claim is a machine's wish to have an address beside its own, as VRRP lets several machines share one: of those that
// run, the one with the highest priority has it.
type Claim struct {
	all      *claims
	kernel   *Kernel
	address  string
	priority int
}

// claims are those of a lab.
type claims struct {
	mu   sync.Mutex
	list []*Claim
}

type claimsKey struct{}

func claimsOf(n Network) *claims {
	return n.Shared(claimsKey{}, func() any { return &claims{} }).(*claims)
}

// Claim asks for the address until Release, or until the machine stops.
func (k *Kernel) Claim(address string, priority int) *Claim {
	c := &Claim{all: claimsOf(k.Machine.Net), kernel: k, address: address, priority: priority}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.list = append(c.all.list, c)
	return c
}

// SetPriority changes how much the machine wants the address.
func (c *Claim) SetPriority(priority int) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.priority = priority
}

// Release ends the claim.
func (c *Claim) Release() {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.list = slices.DeleteFunc(c.all.list, func(other *Claim) bool { return other == c })
}

// Holder is the running machine that has a claimed address; nil if none has.
func Holder(n Network, address string) *Machine {
	if c := claimsOf(n).strongest(address); c != nil {
		return c.kernel.Machine
	}
	return nil
}

// Held lists the claimed addresses that the machine has now.
func (m *Machine) Held() []string {
	all := claimsOf(m.Net)
	all.mu.Lock()
	wanted := slices.Clone(all.list)
	all.mu.Unlock()
	var held []string
	for _, c := range wanted {
		if c.kernel.Machine == m && all.strongest(c.address) == c {
			held = append(held, c.address)
		}
	}
	return held
}

func (a *claims) strongest(address string) *Claim {
	a.mu.Lock()
	defer a.mu.Unlock()
	var best *Claim
	for _, c := range a.list {
		runs := c.kernel.Machine.Kernel() == c.kernel
		if c.address == address && runs && (best == nil || c.priority > best.priority) {
			best = c
		}
	}
	return best
}
