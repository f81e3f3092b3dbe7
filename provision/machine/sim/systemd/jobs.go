package systemd

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/kernel"
	"podium/provision/machine/sim/vfs"
)

// errUnit is a failure worded as systemctl words it.
type errUnit struct {
	text string
	code int
}

func (e *errUnit) Error() string { return e.text }

// Start starts a unit and what it requires; nil if it is active.
func (m *Manager) Start(ctx context.Context, name string) error {
	return m.job(ctx, func(ctx context.Context) error { return m.start(ctx, name, nil) })
}

// Stop stops a unit; nil if it does not run.
func (m *Manager) Stop(ctx context.Context, name string) error {
	return m.job(ctx, func(ctx context.Context) error { return m.stop(ctx, name) })
}

// Restart stops and starts a unit.
func (m *Manager) Restart(ctx context.Context, name string) error {
	return m.job(ctx, func(ctx context.Context) error { return m.restart(ctx, name) })
}

// job does what a client asked for. It goes on to its end when the client is killed, since jobs are systemd's own.
func (m *Manager) job(ctx context.Context, do func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- do(m.k.Context()) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (m *Manager) start(ctx context.Context, name string, under []string) error {
	if slices.Contains(under, name) {
		return nil
	}
	if strings.HasSuffix(name, ".swap") {
		return m.startSwap(name)
	}
	u := m.settled(name)
	if u != nil && (u.active == "active" || u.active == "activating" && len(under) > 0) {
		m.mu.Unlock()
		return nil
	}
	m.mu.Unlock()
	d := load(m.machine(), name)
	switch {
	case d == nil && (strings.HasSuffix(name, ".target") || strings.HasSuffix(name, ".slice") || strings.HasSuffix(name, ".mount")):
		d = &definition{name: name}
	case d == nil:
		return &errUnit{fmt.Sprintf("Failed to start %s: Unit %s not found.", name, name), 5}
	case d.masked:
		return &errUnit{fmt.Sprintf("Failed to start %s: Unit %s is masked.", name, name), 1}
	}
	under = append(under[:len(under):len(under)], name)
	for _, need := range slices.Concat(d.words("Unit", "Requires"), d.words("Unit", "BindsTo")) {
		if err := m.start(ctx, full(need), under); err != nil {
			return &errUnit{fmt.Sprintf("A dependency job for %s failed. See 'journalctl -xe' for details.", name), 1}
		}
	}
	for _, want := range d.words("Unit", "Wants") {
		if w := full(want); load(m.machine(), w) != nil {
			m.start(ctx, w, under) //nolint:errcheck // wanted, not needed
		}
	}
	return m.launch(ctx, d)
}

func (m *Manager) startSwap(name string) error {
	if _, known := kernel.SwapUnits(m.k)[name]; !known {
		return &errUnit{fmt.Sprintf("Failed to start %s: Unit %s not found.", name, name), 5}
	}
	if d := load(m.machine(), name); d != nil && d.masked {
		return &errUnit{fmt.Sprintf("Failed to start %s: Unit %s is masked.", name, name), 1}
	}
	return nil
}

// put records how a unit is; the lock must be held.
func (m *Manager) put(d *definition, active, sub string) *unit {
	u := m.units[d.name]
	if u == nil {
		u = &unit{name: d.name}
		m.units[d.name] = u
	}
	u.def, u.active, u.sub, u.since = d, active, sub, m.k.Clock()
	return u
}

// starting is a start of a unit that has not ended.
type starting struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when err is known
	err    error
}

// launch starts a unit that is not active; if somebody does already, it waits for that.
func (m *Manager) launch(ctx context.Context, d *definition) error {
	if u := m.settled(d.name); u != nil && u.starting != nil {
		s := u.starting
		m.mu.Unlock()
		<-s.done
		return s.err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &starting{cancel: cancel, done: make(chan struct{})}
	u := m.put(d, "activating", "start")
	u.epoch++
	u.stopping, u.starting = false, s
	epoch := u.epoch
	m.mu.Unlock()
	s.err = m.activate(ctx, d, epoch)
	m.mu.Lock()
	u.starting = nil
	m.mu.Unlock()
	close(s.done)
	return s.err
}

func (m *Manager) activate(ctx context.Context, d *definition, epoch int) error {
	if !m.conditions(d) {
		m.mu.Lock()
		m.put(d, "inactive", "dead").result = "condition"
		m.mu.Unlock()
		return nil
	}
	if !strings.HasSuffix(d.name, ".service") {
		m.mu.Lock()
		m.put(d, "active", map[string]string{".timer": "waiting", ".socket": "listening"}[path.Ext(d.name)])
		m.mu.Unlock()
		return nil
	}
	err := m.service(ctx, d, epoch)
	if err != nil {
		m.failed(d, epoch, "exit-code")
		return &errUnit{fmt.Sprintf("Job for %s failed because %v.\nSee \"systemctl status %s\" and \"journalctl -xeu %s\" for details.", d.name, err, d.name, d.name), 1}
	}
	return nil
}

func (m *Manager) conditions(d *definition) bool {
	fs := m.machine().FS
	for _, p := range d.values("Unit", "ConditionPathExists") {
		p, negate := strings.CutPrefix(p, "!")
		if _, err := fs.Stat(vfs.Root(), p); (err == nil) == negate {
			return false
		}
	}
	for _, p := range d.values("Unit", "ConditionFileIsExecutable") {
		info, err := fs.Stat(vfs.Root(), p)
		if err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

// settled takes the lock when nobody stops the unit any more, and returns the unit, nil if there is none.
func (m *Manager) settled(name string) *unit {
	for {
		m.mu.Lock()
		u := m.units[name]
		if u == nil || u.ending == nil {
			return u
		}
		ending := u.ending
		m.mu.Unlock()
		<-ending
	}
}

func (m *Manager) stop(ctx context.Context, name string) error {
	u := m.settled(name)
	if u == nil {
		m.mu.Unlock()
		if strings.HasSuffix(name, ".swap") {
			m.stopSwap(name)
			return nil
		}
		if load(m.machine(), name) == nil {
			return &errUnit{fmt.Sprintf("Failed to stop %s: Unit %s not loaded.", name, name), 5}
		}
		return nil
	}
	u.stopping, u.ending = true, make(chan struct{})
	u.epoch++
	main, d, s := u.main, u.def, u.starting
	m.mu.Unlock()
	for _, line := range d.values("Service", "ExecStop") {
		env, _ := m.environment(d)
		(&runner{m: m, d: d, env: env, cred: vfs.Root()}).once(ctx, line)
	}
	if main != nil {
		main.Signal(guest.SIGTERM)
		m.endGroup(ctx, d.name, main)
	}
	if s != nil {
		s.cancel()
		<-s.done
	}
	for _, p := range m.k.Processes() {
		if p.Unit == name && d.value("Service", "KillMode") != "process" {
			p.Signal(guest.SIGKILL)
		}
	}
	m.mu.Lock()
	u.active, u.sub, u.main, u.restarts, u.since = "inactive", "dead", nil, 0, m.k.Clock()
	close(u.ending)
	u.ending = nil
	m.mu.Unlock()
	return nil
}

func (m *Manager) endGroup(ctx context.Context, _ string, main *guest.Process) {
	t := time.NewTimer(10 * time.Second)
	defer t.Stop()
	select {
	case <-main.Done():
	case <-ctx.Done():
	case <-t.C:
		main.Signal(guest.SIGKILL)
	}
}

func (m *Manager) stopSwap(name string) {
	var rest []guest.Swap
	for _, s := range m.k.Swaps() {
		if kernel.UnitOf(s.Path) != name {
			rest = append(rest, s)
		}
	}
	m.k.SetSwaps(rest)
}

func (m *Manager) restart(ctx context.Context, name string) error {
	if m.Active(name) != "inactive" {
		if err := m.stop(ctx, name); err != nil {
			return err
		}
	}
	if err := m.start(ctx, name, nil); err != nil {
		return err
	}
	m.partsOf(ctx, name)
	return nil
}

// partsOf restarts the active units that say they are part of the one that was restarted.
func (m *Manager) partsOf(ctx context.Context, name string) {
	m.mu.Lock()
	var parts []string
	for n, u := range m.units {
		if u.active == "active" && u.def != nil && slices.Contains(u.def.words("Unit", "PartOf"), name) {
			parts = append(parts, n)
		}
	}
	m.mu.Unlock()
	for _, n := range parts {
		m.restart(ctx, n) //nolint:errcheck // recorded in the unit
	}
}
