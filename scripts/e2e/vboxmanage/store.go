//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// host is the computer that VirtualBox believes to run on.
type host struct {
	ctx   context.Context
	dir   string
	incus *incus
}

// store is machines.json.
type store struct {
	Machines []*vm   `json:"machines"`
	Cards    []*card `json:"cards"` // host-only
}

// vm is a machine as VirtualBox keeps it.
type vm struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Group     string      `json:"group"`
	Settings  settings    `json:"settings"`
	Frozen    string      `json:"frozen,omitempty"`  // saved or gurumeditation: what a frozen guest stands for; empty: paused
	Started   bool        `json:"started,omitempty"` // VirtualBox has started it and has not seen it end
	Closed    time.Time   `json:"closed"`            // when that was seen
	Changed   time.Time   `json:"changed"`           // of its state
	Guest     bool        `json:"guest,omitempty"`   // its container exists
	Parent    string      `json:"parent,omitempty"`  // snapshot that it is a linked clone of
	Snapshots []*snapshot `json:"snapshots,omitempty"`
	Current   string      `json:"current,omitempty"` // id of the snapshot it was last taken or restored
}

// settings are what a snapshot keeps beside the disks.
type settings struct {
	Memory   int               `json:"memory"`
	CPUs     int               `json:"cpus"`
	MAC      string            `json:"mac"`
	NICs     map[int]nic       `json:"nics"`
	Forwards []forward         `json:"forwards"`
	Other    map[string]string `json:"other"` // options that change nothing here
}

type nic struct {
	Kind    string `json:"kind"`              // nat, hostonly, intnet, none
	Network string `json:"network,omitempty"` // vboxnet0
	MAC     string `json:"mac"`
}

type forward struct {
	Name, Proto, HostIP, GuestIP string
	HostPort, GuestPort          int
}

type snapshot struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Parent   string   `json:"parent,omitempty"`
	Settings settings `json:"settings"`
	Guest    bool     `json:"guest"` // there was a container to keep
}

// card is a host-only card: a bridge of Incus once it has an address.
type card struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Netmask string `json:"netmask,omitempty"`
}

// change loads the store, lets do change it and saves it, while no other process can. Slow work belongs outside.
func (h *host) change(do func(*store) error) error {
	unlock, err := h.lock()
	if err != nil {
		return err
	}
	defer unlock()
	s, err := h.load()
	if err != nil {
		return err
	}
	if err := do(s); err != nil {
		return err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(h.dir, "machines.json")
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (h *host) lock() (func(), error) {
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(h.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// load reads the store; renaming keeps it whole for readers without the lock.
func (h *host) load() (*store, error) {
	text, err := os.ReadFile(filepath.Join(h.dir, "machines.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return &store{}, nil
	}
	if err != nil {
		return nil, err
	}
	s := &store{}
	return s, json.Unmarshal(text, s)
}

// find gives the machine of that id or name.
func (s *store) find(idOrName string) (*vm, error) {
	for _, m := range s.Machines {
		if m.ID == idOrName || m.Name == idOrName {
			return m, nil
		}
	}
	return nil, failure{
		text: fmt.Sprintf("Could not find a registered machine named '%s'", idOrName),
		code: "VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)",
	}
}

func (h *host) find(idOrName string) (*vm, error) {
	s, err := h.load()
	if err != nil {
		return nil, err
	}
	return s.find(idOrName)
}

func (s *store) named(name string) bool {
	return slices.ContainsFunc(s.Machines, func(m *vm) bool { return m.Name == name })
}

func (m *vm) snapshot(idOrName string) (*snapshot, error) {
	for _, s := range slices.Backward(m.Snapshots) {
		if s.ID == idOrName || s.Name == idOrName {
			return s, nil
		}
	}
	return nil, failure{text: fmt.Sprintf("Could not find a snapshot named '%s'", idOrName), code: "VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)"}
}

// newMachine is a machine as a box makes it.
func newMachine(name string) *vm {
	return &vm{
		ID: uuid(), Name: name, Group: "/", Changed: time.Now().UTC(),
		Settings: settings{Memory: 512, CPUs: 1, MAC: mac(), NICs: map[int]nic{1: {Kind: "nat", MAC: mac()}}, Other: map[string]string{}},
	}
}

func (s settings) clone() settings {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain data
	}
	var c settings
	if err := json.Unmarshal(text, &c); err != nil {
		panic(err)
	}
	return c
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func mac() string {
	var b [3]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("080027%X", b)
}
