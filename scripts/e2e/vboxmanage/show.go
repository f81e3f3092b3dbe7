//go:build linux

package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// state tells how a machine is, in the words of showvminfo --machinereadable.
func (m *vm) state(states map[string]string) string {
	switch states[m.container()] {
	case "Running":
		return "running"
	case "Frozen":
		return cmp.Or(m.Frozen, "paused")
	}
	return "poweroff"
}

// longStates are the words of `list --long` where they differ.
var longStates = map[string]string{"poweroff": "powered off", "gurumeditation": "guru meditation"}

// states asks for the guests, if any machine has ever had one, and notes which have ended since.
func (h *host) states() (map[string]string, error) {
	s, err := h.load()
	if err != nil || !slices.ContainsFunc(s.Machines, func(m *vm) bool { return m.Guest }) {
		return nil, err
	}
	states, err := h.incus.states(h.ctx)
	if err != nil {
		return nil, err
	}
	ended := func(m *vm) bool { return m.Started && m.state(states) == "poweroff" }
	if !slices.ContainsFunc(s.Machines, ended) {
		return states, nil
	}
	return states, h.change(func(s *store) error {
		for _, m := range s.Machines {
			if ended(m) {
				m.Started, m.Closed = false, time.Now()
			}
		}
		return nil
	})
}

// closingTakes is how long a process of VirtualBox holds its machine after that has powered off.
const closingTakes = 700 * time.Millisecond

// closing is what VirtualBox answers to those who want to lock a machine whose process has not ended yet.
func (m *vm) closing() error {
	if time.Since(m.Closed) > closingTakes {
		return nil
	}
	return failure{text: "Failed to get a console object from the direct session (VBOX_E_INVALID_OBJECT_STATE)", code: "VBOX_E_VM_ERROR (0x80bb0003)"}
}

// listLong prints of each machine what podium reads.
func listLong(h *host, _ []string) error {
	states, err := h.states()
	if err != nil {
		return err
	}
	s, err := h.load()
	if err != nil {
		return err
	}
	for _, m := range s.Machines {
		state := m.state(states)
		fmt.Printf("Name:                        %s\nGroups:                      %s\nUUID:                        %s\nState:                       %s (since %s)\n\n",
			m.Name, m.Group, m.ID, cmp.Or(longStates[state], state), m.Changed.Format("2006-01-02T15:04:05.000000000"))
	}
	return nil
}

func listVMs(h *host, _ []string) error {
	s, err := h.load()
	if err != nil {
		return err
	}
	for _, m := range s.Machines {
		fmt.Printf("%q {%s}\n", m.Name, m.ID)
	}
	return nil
}

func listRunning(h *host, _ []string) error {
	s, err := h.load()
	if err != nil {
		return err
	}
	states, err := h.states()
	if err != nil {
		return err
	}
	for _, m := range s.Machines {
		if state := m.state(states); state == "running" || state == "paused" {
			fmt.Printf("%q {%s}\n", m.Name, m.ID)
		}
	}
	return nil
}

func listHostOnly(h *host, _ []string) error {
	s, err := h.load()
	if err != nil {
		return err
	}
	for i, c := range s.Cards {
		address, mask := c.Address, c.Netmask
		if address == "" {
			address, mask = "0.0.0.0", "0.0.0.0"
		}
		if err := say(
			"Name:            "+c.Name,
			fmt.Sprintf("GUID:            786f6276-656e-4%03x-8000-0a002700%04x", 0x74+i, i),
			"DHCP:            Disabled",
			"IPAddress:       "+address,
			"NetworkMask:     "+mask,
			"IPV6Address:     ",
			"IPV6NetworkMaskPrefixLength: 0",
			fmt.Sprintf("HardwareAddress: 0a:00:27:00:00:%02x", i),
			"MediumType:      Ethernet",
			"Wireless:        No",
			"Status:          Up",
			"VBoxNetworkName: HostInterfaceNetworking-"+c.Name,
			"",
		); err != nil {
			return err
		}
	}
	return nil
}

func listProperties(h *host, _ []string) error {
	return say(
		"API version:                     7_0",
		"Minimum guest RAM size:          4 Megabytes",
		"Maximum guest RAM size:          2097152 Megabytes",
		"Default machine folder:          "+h.dir,
		"Exclusive HW virtualization use: on",
		"Default hard disk format:        VDI",
	)
}

// showInfo prints a machine. Vagrant reads it line by line: the state first, then each card followed by its ports.
func showInfo(h *host, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	if _, err := h.find(args[0]); err != nil {
		return err
	}
	states, err := h.states()
	if err != nil {
		return err
	}
	m, err := h.find(args[0]) // as states has left it
	if err != nil {
		return err
	}
	if err := m.closing(); err != nil {
		return err
	}
	state := m.state(states)
	if !slices.Contains(args, "--machinereadable") {
		return say("Name:                        "+m.Name, "Groups:                      "+m.Group, "UUID:                        "+m.ID,
			fmt.Sprintf("Memory size:                 %dMB", m.Settings.Memory), fmt.Sprintf("Number of CPUs:              %d", m.Settings.CPUs),
			"State:                       "+state)
	}
	var b strings.Builder
	text := func(key, value string) { fmt.Fprintf(&b, "%s=\"%s\"\n", key, value) }
	folder := filepath.Join(h.dir, m.Group, m.Name)
	text("name", m.Name)
	text("encryption", "disabled")
	text("groups", m.Group)
	text("ostype", "Debian (64-bit)")
	text("UUID", m.ID)
	text("CfgFile", filepath.Join(folder, m.Name+".vbox"))
	text("SnapFldr", filepath.Join(folder, "Snapshots"))
	text("LogFldr", filepath.Join(folder, "Logs"))
	text("hardwareuuid", m.ID)
	fmt.Fprintf(&b, "memory=%d\n", m.Settings.Memory)
	text("chipset", "piix3")
	text("firmware", "BIOS")
	fmt.Fprintf(&b, "cpus=%d\n", m.Settings.CPUs)
	text("VMState", state)
	text("VMStateChangeTime", m.Changed.Format("2006-01-02T15:04:05.000000000"))
	text("storagecontrollername0", "SATA Controller")
	text("storagecontrollertype0", "IntelAhci")
	text("storagecontrollermaxportcount0", "30")
	text("storagecontrollerportcount0", "4")
	for n := 1; n <= 8; n++ {
		card, ok := m.Settings.NICs[n]
		if !ok || card.Kind == "none" {
			text(fmt.Sprintf("nic%d", n), "none")
			continue
		}
		switch card.Kind {
		case "nat":
			text(fmt.Sprintf("natnet%d", n), "nat")
		case "hostonly":
			text(fmt.Sprintf("hostonlyadapter%d", n), card.Network)
		case "intnet":
			text(fmt.Sprintf("intnet%d", n), card.Network)
		}
		address := card.MAC
		if n == 1 {
			address = m.Settings.MAC
		}
		text(fmt.Sprintf("macaddress%d", n), address)
		text(fmt.Sprintf("cableconnected%d", n), "on")
		text(fmt.Sprintf("nic%d", n), card.Kind)
		text(fmt.Sprintf("nictype%d", n), "82540EM")
		if n == 1 {
			for i, f := range m.Settings.Forwards {
				text(fmt.Sprintf("Forwarding(%d)", i), fmt.Sprintf("%s,%s,%s,%d,%s,%d", f.Name, f.Proto, f.HostIP, f.HostPort, f.GuestIP, f.GuestPort))
			}
		}
	}
	text("vrde", "off")
	if len(m.Snapshots) > 0 {
		text("CurrentSnapshotUUID", m.Current)
	}
	fmt.Fprintf(&b, "GuestMemoryBalloon=0\n")
	_, err = os.Stdout.WriteString(b.String())
	return err
}

// hostOnly makes, addresses and removes host-only cards.
func hostOnly(h *host, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch {
	case args[0] == "create":
		var name string
		if err := h.change(func(s *store) error {
			for n := 0; ; n++ {
				name = fmt.Sprintf("vboxnet%d", n)
				if !slices.ContainsFunc(s.Cards, func(c *card) bool { return c.Name == name }) {
					s.Cards = append(s.Cards, &card{Name: name})
					return nil
				}
			}
		}); err != nil {
			return err
		}
		progress()
		return say(fmt.Sprintf("Interface '%s' was successfully created", name))
	case args[0] == "ipconfig" && len(args) >= 4:
		o, err := options(args[2:])
		if err != nil {
			return err
		}
		mask := net.IPMask(net.ParseIP(o["--netmask"]).To4())
		bits, size := mask.Size()
		if size == 0 || net.ParseIP(o["--ip"]) == nil {
			return failure{text: "Invalid address or netmask", code: "E_INVALIDARG (0x80070057)"}
		}
		if err := h.incus.do(h.ctx, "POST", "/1.0/networks", map[string]any{
			"name": args[1], "type": "bridge",
			"config": map[string]string{"ipv4.address": fmt.Sprintf("%s/%d", o["--ip"], bits), "ipv4.nat": "false", "ipv4.dhcp": "false", "ipv6.address": "none"},
		}); err != nil {
			return err
		}
		return h.change(func(s *store) error {
			for _, c := range s.Cards {
				if c.Name == args[1] {
					c.Address, c.Netmask = o["--ip"], o["--netmask"]
				}
			}
			return nil
		})
	case args[0] == "remove" && len(args) >= 2:
		if err := h.incus.do(h.ctx, "DELETE", "/1.0/networks/"+args[1], nil); err != nil {
			return err
		}
		return h.change(func(s *store) error {
			s.Cards = slices.DeleteFunc(s.Cards, func(c *card) bool { return c.Name == args[1] })
			return nil
		})
	}
	return errUsage
}
