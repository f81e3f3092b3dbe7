package vagrant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"podium/provision/folder"
	"podium/provision/lab"
	"podium/provision/machine"
)

// memory is podium.json: what Vagrant does not keep.
type memory struct {
	Version int                  `json:"version"`
	Lab     string               `json:"lab"`
	User    string               `json:"user"` // who logs in
	Nodes   map[string]nodeState `json:"nodes"`
}

// nodeState is what is remembered of a machine.
type nodeState struct {
	Address string `json:"address"`        // in the lab's network
	Port    int    `json:"port,omitempty"` // of 127.0.0.1, leads to its sshd
	ID      string `json:"id,omitempty"`   // of the machine whose boot Vagrant has brought to its end
	Made    string `json:"made,omitempty"` // digest of its settings at that boot
}

const memoryName = "podium.json"

// maxMemory bounds what is read of a file that podium or Vagrant keeps, in bytes.
const maxMemory = 16 << 20

// Known tells the SSH ports that are pinned and the ids of the machines that Vagrant has made, by node.
func (p *Provider) Known() (ports map[string]int, ids map[string]string, err error) {
	p.mu.Lock()
	if err = p.loadMemory(); err == nil {
		ports = make(map[string]int, len(p.memory.Nodes))
		for name, n := range p.memory.Nodes {
			ports[name] = n.Port
		}
	}
	p.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	ids, err = p.ids()
	return ports, ids, err
}

// recall gives what is remembered of a machine.
func (p *Provider) recall(name string) (nodeState, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.loadMemory(); err != nil {
		return nodeState{}, err
	}
	return p.memory.Nodes[name], nil
}

// remember changes what is remembered and writes it down.
func (p *Provider) remember(change func(nodes map[string]nodeState)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.loadMemory(); err != nil {
		return err
	}
	change(p.memory.Nodes)
	p.memory.Version, p.memory.Lab = 1, p.o.Lab
	if p.spec.Lab.User != "" {
		p.memory.User = p.spec.Lab.User
	}
	text, err := json.MarshalIndent(p.memory, "", "  ")
	if err != nil {
		return err
	}
	return p.write(memoryName, append(text, '\n'))
}

// loadMemory reads podium.json once. One that cannot be read is an error rather than a fresh start: ports would move.
func (p *Provider) loadMemory() error {
	if p.loaded {
		return nil
	}
	path := filepath.Join(p.o.Dir, memoryName)
	text, err := p.files().Read(memoryName, maxMemory)
	var m memory
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read %s: %w", path, err)
	default:
		if err := json.Unmarshal(text, &m); err != nil {
			return fmt.Errorf("read %s: %w: remove the file, podium makes it again", path, err)
		}
	}
	if m.Nodes == nil {
		m.Nodes = map[string]nodeState{}
	}
	p.memory, p.loaded = m, true
	return nil
}

// files is the provider's own folder. A link in it that leads out of .podium is not followed.
func (p *Provider) files() folder.Folder {
	return folder.At(filepath.Dir(p.o.Dir)).Sub(filepath.Base(p.o.Dir))
}

// write writes a file of the provider's folder, and makes the folders above it.
func (p *Provider) write(name string, text []byte) error {
	if err := p.files().MkdirAll(filepath.Dir(name)); err != nil {
		return fmt.Errorf("make %s: %w", p.files().Path(filepath.Dir(name)), err)
	}
	return p.files().Write(name, text, 0o600)
}

// dataName is Vagrant's folder of one machine, from the provider's; dataDir is its whole path.
func (p *Provider) dataName(name string) string {
	return filepath.Join(machinesName, name, p.o.Provider)
}

func (p *Provider) dataDir(name string) string { return p.files().Path(p.dataName(name)) }

// machinesName is where Vagrant keeps a folder for each machine.
var machinesName = filepath.Join(".vagrant", "machines")

// id is the machine's id at the hypervisor; empty: Vagrant has none.
func (p *Provider) id(name string) (string, error) {
	text, err := p.files().Read(filepath.Join(p.dataName(name), "id"), maxMemory)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%s: read the machine's id: %w", name, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// ids gives the ids of all machines that Vagrant has made for this lab, also of nodes that lab.yaml names no more.
func (p *Provider) ids() (map[string]string, error) {
	entries, err := p.files().ReadDir(machinesName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the machines: %w", err)
	}
	ids := map[string]string{}
	for _, e := range entries {
		id, err := p.id(e.Name())
		if err != nil {
			return nil, err
		}
		if id != "" {
			ids[e.Name()] = id
		}
	}
	return ids, nil
}

// The ports that are pinned lie below those that systems hand out by themselves (Linux from 32768, others from 49152),
// and away from Vagrant's own 2200 to 2250. Each lab begins elsewhere, so that labs seldom meet.
const (
	firstPort = 22000
	lastPort  = 22999
)

// noteMachines writes down the machines' addresses and, for VirtualBox, gives each a port of 127.0.0.1 that it keeps.
// One that another program has taken meanwhile is replaced, unless the machine runs and so holds it itself.
func (p *Provider) noteMachines(ctx context.Context, s machine.Spec, vms map[string]vm) error {
	ids, err := p.ids()
	if err != nil {
		return err
	}
	free := func(port int) bool { return portFree(ctx, port) }
	var moved []string
	err = p.remember(func(nodes map[string]nodeState) {
		for _, m := range s.Machines {
			n := nodes[m.Name]
			n.Address = m.Address.String()
			nodes[m.Name] = n
		}
		if p.isLibvirt() {
			return
		}
		moved = assignPorts(s.Lab.Name, s.Machines, nodes, func(name string) bool {
			return vms[ids[name]].state == machine.Running
		}, free)
	})
	for _, note := range moved {
		p.o.Log.Info(note)
	}
	return err
}

// assignPorts fills in the ports of nodes and says which were moved.
func assignPorts(labName string, ms []lab.Machine, nodes map[string]nodeState, runs func(string) bool, free func(int) bool) []string {
	taken := map[int]bool{}
	for _, n := range nodes {
		taken[n.Port] = true
	}
	for _, m := range ms {
		for _, f := range m.Forward {
			taken[f.Host] = true
		}
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(labName))
	next := firstPort + 10*int(hash.Sum32()%uint32((lastPort-firstPort)/10))
	search := func() int {
		for range lastPort - firstPort + 1 {
			port := next
			if next++; next > lastPort {
				next = firstPort
			}
			if !taken[port] && free(port) {
				taken[port] = true
				return port
			}
		}
		return 0
	}
	var moved []string
	for _, m := range ms {
		n := nodes[m.Name]
		if n.Port != 0 && (runs(m.Name) || free(n.Port)) {
			continue
		}
		old := n.Port
		n.Port = search()
		nodes[m.Name] = n
		if old != 0 {
			moved = append(moved, fmt.Sprintf("%s: SSH port %d is taken by another program, using %d from now on", m.Name, old, n.Port))
		}
	}
	slices.Sort(moved)
	return moved
}

// portFree reports whether nobody listens on the port, here or on all addresses.
func portFree(ctx context.Context, port int) bool {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
