package vagrant

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"

	"podium/provision/machine"
	"podium/templates"
)

// Render gives the Vagrantfile of a lab without booting or changing anything. Ports that were pinned before stay.
func (p *Provider) Render(s machine.Spec) (string, error) {
	v, err := p.describe(s)
	if err != nil {
		return "", err
	}
	return v.Render()
}

// describe lays a lab over the Vagrantfile. Machines without a pinned port get one that may still change when it
// turns out to be taken.
func (p *Provider) describe(s machine.Spec) (templates.Vagrantfile, error) {
	network, err := netip.ParsePrefix(s.Lab.Network)
	if err != nil {
		return templates.Vagrantfile{}, fmt.Errorf("network %q: %w", s.Lab.Network, err)
	}
	nodes := map[string]nodeState{}
	for _, m := range s.Machines {
		if nodes[m.Name], err = p.recall(m.Name); err != nil {
			return templates.Vagrantfile{}, err
		}
	}
	always := func(int) bool { return true }
	assignPorts(s.Lab.Name, s.Machines, nodes, func(string) bool { return true }, always)
	v := templates.Vagrantfile{
		Lab:         s.Lab.Name,
		Provider:    p.o.Provider,
		Box:         s.Lab.Box,
		BoxVersion:  s.Lab.BoxVersion,
		User:        s.Lab.User,
		Network:     network,
		BootTimeout: s.Lab.BootLimit(),
		Promiscuous: s.Lab.Kubernetes != nil && (s.Lab.Kubernetes.VirtualAddress != "" || slices.Contains(s.Lab.Kubernetes.Addons, "metallb")),
	}
	for _, m := range s.Machines {
		n := templates.VagrantNode{
			Name:      m.Name,
			Address:   m.Address,
			CPUs:      m.CPUs,
			MemoryMiB: m.Memory.MiB(),
			DiskMiB:   m.Disk.MiB(),
			SSHPort:   nodes[m.Name].Port,
		}
		for _, size := range m.Disks {
			n.ExtraDisksMiB = append(n.ExtraDisksMiB, size.MiB())
		}
		if !p.isLibvirt() {
			for _, f := range m.Forward {
				n.Forwards = append(n.Forwards, templates.Forward(f))
			}
		}
		v.Nodes = append(v.Nodes, n)
	}
	return v, nil
}

// WriteVagrantfile writes the Vagrantfile of a lab, as Prepare does, and gives its path.
func (p *Provider) WriteVagrantfile(s machine.Spec) (string, error) {
	text, err := p.Render(s)
	if err != nil {
		return "", err
	}
	path := filepath.Join(p.o.Dir, "Vagrantfile")
	return path, p.write(filepath.Base(path), []byte(text))
}

// settings is a digest of all that Vagrant does to one machine: while it stays the same, a machine that Vagrant has
// once brought up can be started without Vagrant. The port of its sshd does not count: podium moves it without Vagrant.
func settings(v templates.Vagrantfile, name string) (string, error) {
	v.Nodes = slices.DeleteFunc(slices.Clone(v.Nodes), func(n templates.VagrantNode) bool { return n.Name != name })
	for i := range v.Nodes {
		v.Nodes[i].SSHPort = 1
	}
	text, err := v.Render()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8]), nil
}
