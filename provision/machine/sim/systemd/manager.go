package systemd

import (
	"strings"
	"sync"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/kernel"
)

// Manager is systemd of one boot.
type Manager struct {
	k *guest.Kernel

	mu      sync.Mutex
	units   map[string]*unit
	journal map[string][]entry
}

// unit is a unit that has been started or failed since boot.
type unit struct {
	name     string
	def      *definition
	active   string // active, inactive, failed, activating
	sub      string
	result   string
	exit     int
	since    time.Time
	main     *guest.Process
	restarts int
	stopping bool
	starting *starting     // nil if nobody does
	ending   chan struct{} // closed when a stop has ended; nil if nobody stops it
	epoch    int           // changes with every start and stop, so that a late restart knows it is not wanted
}

type managerKey struct{}

// Of is the system manager of a running machine.
func Of(k *guest.Kernel) *Manager {
	return guest.Value(k, managerKey{}, func() *Manager {
		return &Manager{k: k, units: map[string]*unit{}, journal: map[string][]entry{}}
	})
}

func (m *Manager) machine() *guest.Machine { return m.k.Machine }

// Active is what systemctl is-active says.
func (m *Manager) Active(name string) string {
	if strings.HasSuffix(name, ".swap") {
		if kernel.SwapUnits(m.k)[name] {
			return "active"
		}
		return "inactive"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.units[name]; u != nil {
		return u.active
	}
	return "inactive"
}

// IsActive reports whether a service runs.
func (m *Manager) IsActive(name string) bool { return m.Active(full(name)) == "active" }

// Reload forgets what was read of unit files.
func (m *Manager) Reload() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, u := range m.units {
		if d := load(m.machine(), name); d != nil {
			u.def = d
		}
	}
}
