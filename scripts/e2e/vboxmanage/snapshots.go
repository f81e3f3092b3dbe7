//go:build linux

package main

import (
	"fmt"
	"slices"
)

// snapshots is VBoxManage snapshot MACHINE take|list|restore|delete.
func snapshots(h *host, args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	if args[1] == "list" {
		return listSnapshots(h, args[0])
	}
	if len(args) < 3 {
		return errUsage
	}
	switch args[1] {
	case "take":
		return takeSnapshot(h, args[0], args[2])
	case "restore":
		return restoreSnapshot(h, args[0], args[2])
	case "delete":
		return deleteSnapshot(h, args[0], args[2])
	}
	return errUsage
}

// unlocked gives a machine that can be locked.
func (h *host) unlocked(idOrName string) (*vm, error) {
	if _, err := h.states(); err != nil {
		return nil, err
	}
	m, err := h.find(idOrName)
	if err != nil {
		return nil, err
	}
	return m, m.closing()
}

// listSnapshots prints the tree: SnapshotName, its children SnapshotName-1, SnapshotName-2, theirs SnapshotName-1-1, ...
func listSnapshots(h *host, machine string) error {
	m, err := h.unlocked(machine)
	if err != nil {
		return err
	}
	if len(m.Snapshots) == 0 {
		return failure{out: "This machine does not have any snapshots\n"}
	}
	var show func(parent, prefix string)
	show = func(parent, prefix string) {
		n := 0
		for _, s := range m.Snapshots {
			if s.Parent != parent {
				continue
			}
			place := prefix
			if parent != "" {
				n++
				place = fmt.Sprintf("%s-%d", prefix, n)
			}
			fmt.Printf("SnapshotName%s=\"%s\"\nSnapshotUUID%s=\"%s\"\n", place, s.Name, place, s.ID)
			if s.ID == m.Current {
				fmt.Printf("CurrentSnapshotName=\"%s\"\nCurrentSnapshotUUID=\"%s\"\nCurrentSnapshotNode=\"SnapshotName%s\"\n", s.Name, s.ID, place)
			}
			show(s.ID, place)
		}
	}
	show("", "")
	return nil
}

func takeSnapshot(h *host, machine, name string) error {
	m, err := h.unlocked(machine)
	if err != nil {
		return err
	}
	s := &snapshot{ID: uuid(), Name: name, Parent: m.Current, Settings: m.Settings.clone(), Guest: m.Guest}
	if m.Guest {
		if err := h.incus.do(h.ctx, "POST", m.path("snapshots"), map[string]any{"name": s.ID}); err != nil {
			return err
		}
	}
	if err := h.change(func(all *store) error {
		m, err := all.find(machine)
		if err != nil {
			return err
		}
		m.Snapshots, m.Current = append(m.Snapshots, s), s.ID
		return nil
	}); err != nil {
		return err
	}
	progress()
	return say("Snapshot taken. UUID: " + s.ID)
}

func restoreSnapshot(h *host, machine, name string) error {
	states, err := h.states()
	if err != nil {
		return err
	}
	var said string
	err = h.change(func(all *store) error {
		m, err := all.stopped(machine, states)
		if err != nil {
			return err
		}
		s, err := m.snapshot(name)
		if err != nil {
			return err
		}
		said = fmt.Sprintf("Restoring snapshot '%s' (%s)", s.Name, s.ID)
		m.Settings, m.Current = s.Settings.clone(), s.ID
		return nil
	})
	if err != nil {
		return err
	}
	m, err := h.find(machine)
	if err != nil {
		return err
	}
	if s, err := m.snapshot(m.Current); err != nil {
		return err
	} else if s.Guest {
		if err := h.incus.do(h.ctx, "PUT", m.path(), map[string]any{"restore": s.ID}); err != nil {
			return err
		}
	}
	progress()
	return say(said)
}

func deleteSnapshot(h *host, machine, name string) error {
	var m *vm
	var gone *snapshot
	if err := h.change(func(all *store) (err error) {
		if m, err = all.find(machine); err != nil {
			return err
		}
		if gone, err = m.snapshot(name); err != nil {
			return err
		}
		m.Snapshots = slices.DeleteFunc(m.Snapshots, func(s *snapshot) bool { return s == gone })
		for _, s := range m.Snapshots {
			if s.Parent == gone.ID {
				s.Parent = gone.Parent
			}
		}
		if m.Current == gone.ID {
			m.Current = gone.Parent
		}
		return nil
	}); err != nil {
		return err
	}
	if gone.Guest {
		if err := h.incus.do(h.ctx, "DELETE", m.path("snapshots", gone.ID), nil); err != nil {
			return err
		}
	}
	progress()
	return say(fmt.Sprintf("Deleting snapshot '%s' (%s)", gone.Name, gone.ID))
}
