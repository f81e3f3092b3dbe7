package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/machine"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/image"
	"podium/provision/machine/sim/internet"
	"podium/provision/machine/sim/packages"
	"podium/provision/machine/sim/vfs"
	"podium/provision/remote"
)

// Description is what a host has to simulate.
type Description struct {
	Lab       string
	Box       string // decides the distribution
	User      string
	Network   string // CIDR of the private network
	PublicKey string // authorized_keys line that may log in
	Scenario  string // text of a sim.yaml; empty: nothing takes time, nothing goes wrong
	Machines  []Machine
	Mirrors   []Mirror // servers of the classroom's own that the lab names
	Proxies   []string // host:port of the lab's proxies
}

// Mirror is a server whose addresses that begin with URL stand for those that begin with Upstream.
type Mirror struct{ URL, Upstream string }

// Machine is one node of a Description.
type Machine struct {
	Name    string
	Address string
	CPUs    int
	Memory  int64 // bytes
	Disk    int64 // bytes; 0: as large as the box makes it
}

// Host simulates the nodes of one lab in this process. All methods may be called side by side.
type Host struct {
	log    hclog.Logger
	now    func() time.Time
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex
	desc      Description
	scenario  *Scenario
	images    map[string]*vfs.Image // by box and user
	nodes     map[string]*node
	byAddress map[string]*node
	archives  *packages.Archives
	outside   *internet.Internet
	programs  guest.Programs
	values    map[any]any
}

// NewHost returns a host without nodes. Close ends it.
func NewHost(log hclog.Logger) *Host {
	if log == nil {
		log = hclog.NewNullLogger()
	}
	ctx, cancel := context.WithCancel(context.Background())
	archives := &packages.Archives{}
	return &Host{
		log: log, now: time.Now, ctx: ctx, cancel: cancel, scenario: &Scenario{},
		images: map[string]*vfs.Image{}, nodes: map[string]*node{}, byAddress: map[string]*node{},
		archives: archives, outside: &internet.Internet{Archives: archives}, programs: programs(archives), values: map[any]any{},
	}
}

// Close stops and forgets every node.
func (h *Host) Close() {
	h.mu.Lock()
	nodes := slices.Collect(maps.Values(h.nodes))
	h.nodes = map[string]*node{}
	h.mu.Unlock()
	h.cancel()
	for _, n := range nodes {
		n.halt()
	}
}

// Describe says what to simulate. Nodes that exist stay as they are; how they behave follows the new scenario.
func (h *Host) Describe(d Description) error {
	s, err := ParseScenario([]byte(d.Scenario))
	if err != nil {
		return fmt.Errorf("sim.yaml: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.desc, h.scenario, h.outside = d, s, outside(h.archives, d)
	for name, n := range h.nodes {
		n.behave(s.of(name))
	}
	return nil
}

// Up creates or starts a node and returns when its sshd answers.
func (h *Host) Up(ctx context.Context, name string) (remote.Endpoint, error) {
	n, err := h.obtain(name)
	if err != nil {
		return remote.Endpoint{}, err
	}
	if err := n.up(ctx); err != nil {
		return remote.Endpoint{}, err
	}
	return n.endpoint(), nil
}

// obtain finds the node, or makes it from the description.
func (h *Host) obtain(name string) (*node, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.nodes[name]; n != nil {
		return n, nil
	}
	i := slices.IndexFunc(h.desc.Machines, func(m Machine) bool { return m.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%s: %w in the description given to the simulator: run podium up", name, machine.ErrNotFound)
	}
	img, err := h.image()
	if err != nil {
		return nil, err
	}
	n, err := newNode(h, h.desc, h.desc.Machines[i], img, h.scenario.of(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	h.nodes[name] = n
	h.byAddress[n.spec.Address] = n
	return n, nil
}

// image is the disk that new nodes start from; the lock is held.
func (h *Host) image() (*vfs.Image, error) {
	key := h.desc.Box + "\x00" + h.desc.User
	if img := h.images[key]; img != nil {
		return img, nil
	}
	img, err := image.Build(image.Of(h.desc.Box), h.desc.User, seeds()...)
	if err != nil {
		return nil, err
	}
	h.images[key] = img
	return img, nil
}

func (h *Host) find(name string) *node {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.nodes[name]
}

// Halt stops a node; nil if it is stopped or missing.
func (h *Host) Halt(_ context.Context, name string) error {
	if n := h.find(name); n != nil {
		n.halt()
	}
	return nil
}

// Destroy removes a node with its snapshots; nil if it is missing.
func (h *Host) Destroy(_ context.Context, name string) error {
	h.mu.Lock()
	n := h.nodes[name]
	delete(h.nodes, name)
	if n != nil && h.byAddress[n.spec.Address] == n {
		delete(h.byAddress, n.spec.Address)
	}
	h.mu.Unlock()
	if n != nil {
		n.halt()
	}
	return nil
}

// Status tells the state of every node.
func (h *Host) Status(context.Context) (map[string]machine.State, error) {
	h.mu.Lock()
	nodes := maps.Clone(h.nodes)
	h.mu.Unlock()
	states := make(map[string]machine.State, len(nodes))
	for name, n := range nodes {
		states[name] = n.state()
	}
	return states, nil
}

// Snapshot keeps a stopped node's disk under tag.
func (h *Host) Snapshot(_ context.Context, name, tag string) error {
	n := h.find(name)
	if n == nil {
		return fmt.Errorf("%s: %w", name, machine.ErrNotFound)
	}
	return n.snapshot(tag)
}

// Restore brings a disk back and leaves the node stopped.
func (h *Host) Restore(_ context.Context, name, tag string) error {
	n := h.find(name)
	if n == nil {
		return fmt.Errorf("%s: %w", name, machine.ErrNotFound)
	}
	return n.restore(tag)
}

// DeleteSnapshot forgets a snapshot; nil if there is none.
func (h *Host) DeleteSnapshot(_ context.Context, name, tag string) error {
	if n := h.find(name); n != nil {
		n.deleteSnapshot(tag)
	}
	return nil
}

// shared keeps what belongs to the lab as a whole, such as its clusters.
func (h *Host) shared(key any, make func() any) any {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.values[key]
	if !ok {
		v = make()
		h.values[key] = v
	}
	return v
}
