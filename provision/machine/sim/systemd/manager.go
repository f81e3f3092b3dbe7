package systemd

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/kernel"
	"podium/provision/machine/sim/vfs"
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
	epoch    int // changes with every start and stop, so that a late restart knows it is not wanted
}

type entry struct {
	when time.Time
	who  string
	text string
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

// MainPID is the process of a service, nil if it has none.
func (m *Manager) MainPID(name string) *guest.Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.units[full(name)]; u != nil && u.active == "active" {
		return u.main
	}
	return nil
}

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

// Log adds a line to the journal.
func (m *Manager) Log(name, who, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log(name, who, text)
}

const journalLines = 200 // kept for each unit

func (m *Manager) log(name, who, text string) {
	list := append(m.journal[name], entry{m.k.Clock(), who, text})
	if len(list) > journalLines {
		list = slices.Clone(list[len(list)-journalLines:])
	}
	m.journal[name] = list
}

// errUnit is a failure worded as systemctl words it.
type errUnit struct {
	text string
	code int
}

func (e *errUnit) Error() string { return e.text }

// Start starts a unit and what it requires; nil if it is active.
func (m *Manager) Start(ctx context.Context, name string) error {
	return m.start(ctx, name, nil)
}

func (m *Manager) start(ctx context.Context, name string, under []string) error {
	if slices.Contains(under, name) {
		return nil
	}
	if strings.HasSuffix(name, ".swap") {
		return m.startSwap(name)
	}
	m.mu.Lock()
	u := m.units[name]
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

// launch starts a unit that is not active.
func (m *Manager) launch(ctx context.Context, d *definition) error {
	m.mu.Lock()
	u := m.put(d, "activating", "start")
	u.epoch++
	u.stopping = false
	epoch := u.epoch
	m.mu.Unlock()
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

// service runs the commands of a service until it counts as started.
func (m *Manager) service(ctx context.Context, d *definition, epoch int) error {
	env, err := m.environment(d)
	if err != nil {
		m.Log(d.name, "systemd", fmt.Sprintf("%s: Failed to load environment files: No such file or directory", d.name))
		return fmt.Errorf("of unavailable resources or another system error")
	}
	cred, home, err := m.credentials(d)
	if err != nil {
		m.Log(d.name, "systemd", fmt.Sprintf("%s: Failed to determine user credentials: No such process", d.name))
		return fmt.Errorf("the control process exited with error code")
	}
	m.directories(d, cred)
	r := runner{m: m, d: d, env: env, cred: cred, home: home, epoch: epoch}
	for _, line := range d.values("Service", "ExecStartPre") {
		if !r.once(ctx, line) {
			return fmt.Errorf("the control process exited with error code")
		}
	}
	lines := d.values("Service", "ExecStart")
	if d.value("Service", "Type") == "oneshot" {
		for _, line := range lines {
			if !r.once(ctx, line) {
				return fmt.Errorf("the control process exited with error code")
			}
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if d.bool("Service", "RemainAfterExit") {
			m.put(d, "active", "exited")
		} else {
			m.put(d, "inactive", "dead")
		}
		return nil
	}
	if len(lines) == 0 {
		m.Log(d.name, "systemd", d.name+": Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.")
		return fmt.Errorf("it has a bad unit file setting")
	}
	if err := r.daemon(ctx, lines[len(lines)-1]); err != nil {
		return err
	}
	for _, line := range d.values("Service", "ExecStartPost") {
		if !r.once(ctx, line) {
			return fmt.Errorf("the control process exited with error code")
		}
	}
	return nil
}

func (m *Manager) environment(d *definition) ([]string, error) {
	vars := map[string]string{"PATH": guest.DefaultPath, "LANG": "C.UTF-8"}
	for _, line := range d.values("Service", "Environment") {
		for k, v := range assignments(line) {
			vars[k] = v
		}
	}
	for _, file := range d.values("Service", "EnvironmentFile") {
		file, optional := strings.CutPrefix(file, "-")
		text, err := m.machine().FS.ReadFile(vfs.Root(), file)
		if err != nil {
			if optional {
				continue
			}
			return nil, err
		}
		for k, v := range environmentFile(text) {
			vars[k] = v
		}
	}
	env := make([]string, 0, len(vars))
	for k, v := range vars {
		env = append(env, k+"="+v)
	}
	slices.Sort(env)
	return env, nil
}

func (m *Manager) credentials(d *definition) (vfs.Cred, string, error) {
	user := d.value("Service", "User")
	if user == "" || user == "root" {
		if d.bool("Service", "DynamicUser") {
			return vfs.Cred{UID: 61184, GID: 61184, Umask: 0o022}, "/", nil
		}
		return vfs.Root(), "/root", nil
	}
	u, ok := m.machine().FindUser(user)
	if !ok {
		return vfs.Cred{}, "", fmt.Errorf("no account %q", user)
	}
	return m.machine().CredOf(u), u.Home, nil
}

// directories makes what StateDirectory and the like ask for.
func (m *Manager) directories(d *definition, c vfs.Cred) {
	for key, base := range map[string]string{"StateDirectory": "/var/lib/", "RuntimeDirectory": "/run/", "CacheDirectory": "/var/cache/", "LogsDirectory": "/var/log/", "ConfigurationDirectory": "/etc/"} {
		for _, name := range d.words("Service", key) {
			m.machine().FS.MkdirAll(vfs.Root(), base+name, 0o755)                     //nolint:errcheck // the service finds out
			m.machine().FS.Chown(vfs.Root(), base+name, int(c.UID), int(c.GID), true) //nolint:errcheck
		}
	}
}

// failed records the end of a service that failed, and has it restarted if its unit says so.
func (m *Manager) failed(d *definition, epoch int, result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.units[d.name]
	if u == nil || u.epoch != epoch || u.stopping {
		return
	}
	u.result, u.main = result, nil
	restart := d.value("Service", "Restart")
	if restart != "always" && restart != "on-failure" && restart != "on-abnormal" || u.restarts >= startLimit && restartDelay(d) < time.Second {
		u.active, u.sub = "failed", "failed"
		m.log(d.name, "systemd", fmt.Sprintf("%s: Failed with result '%s'.", d.name, result))
		return
	}
	u.active, u.sub = "activating", "auto-restart"
	u.restarts++
	m.log(d.name, "systemd", fmt.Sprintf("%s: Scheduled restart job, restart counter is at %d.", d.name, u.restarts))
	time.AfterFunc(restartDelay(d), func() { m.again(d.name, epoch) })
}

const startLimit = 5 // of quick restarts, as StartLimitBurst

func restartDelay(d *definition) time.Duration {
	delay := 100 * time.Millisecond
	if v := d.value("Service", "RestartSec"); v != "" {
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			delay = time.Duration(n * float64(time.Second))
		} else if p, err := time.ParseDuration(v); err == nil {
			delay = p
		}
	}
	return delay
}

func (m *Manager) again(name string, epoch int) {
	m.mu.Lock()
	u := m.units[name]
	wanted := u != nil && u.epoch == epoch && !u.stopping && u.sub == "auto-restart"
	m.mu.Unlock()
	if !wanted || m.k.Context().Err() != nil {
		return
	}
	if d := load(m.machine(), name); d != nil && !d.masked {
		m.launch(m.k.Context(), d) //nolint:errcheck // recorded in the unit
	}
}

// Stop stops a unit; nil if it does not run.
func (m *Manager) Stop(ctx context.Context, name string) error {
	m.mu.Lock()
	u := m.units[name]
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
	u.stopping = true
	u.epoch++
	main, d := u.main, u.def
	m.mu.Unlock()
	for _, line := range d.values("Service", "ExecStop") {
		env, _ := m.environment(d)
		(&runner{m: m, d: d, env: env, cred: vfs.Root()}).once(ctx, line)
	}
	if main != nil {
		main.Signal(guest.SIGTERM)
		m.endGroup(ctx, d.name, main)
	}
	for _, p := range m.k.Processes() {
		if p.Unit == name && d.value("Service", "KillMode") != "process" {
			p.Signal(guest.SIGKILL)
		}
	}
	m.mu.Lock()
	u.active, u.sub, u.main, u.restarts, u.since = "inactive", "dead", nil, 0, m.k.Clock()
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

// Restart stops and starts a unit.
func (m *Manager) Restart(ctx context.Context, name string) error {
	if m.Active(name) != "inactive" {
		if err := m.Stop(ctx, name); err != nil {
			return err
		}
	}
	if err := m.Start(ctx, name); err != nil {
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
		m.Restart(ctx, n) //nolint:errcheck // recorded in the unit
	}
}

// ReloadUnit sends what ExecReload says.
func (m *Manager) ReloadUnit(ctx context.Context, name string) error {
	m.mu.Lock()
	u := m.units[name]
	if u == nil || u.active != "active" {
		m.mu.Unlock()
		return &errUnit{fmt.Sprintf("%s is not active, cannot reload.", name), 1}
	}
	d, main := u.def, u.main
	m.mu.Unlock()
	lines := d.values("Service", "ExecReload")
	if len(lines) == 0 {
		return &errUnit{fmt.Sprintf("Failed to reload %s: Job type reload is not applicable for unit %s.", name, name), 1}
	}
	env, err := m.environment(d)
	if err != nil {
		return err
	}
	if main != nil {
		env = append(env, "MAINPID="+strconv.Itoa(main.PID))
	}
	for _, line := range lines {
		if main == nil {
			continue
		}
		if !(&runner{m: m, d: d, env: env, cred: vfs.Root()}).once(ctx, line) {
			return &errUnit{fmt.Sprintf("Job for %s failed.", name), 1}
		}
	}
	return nil
}

// runner runs command lines of a service.
type runner struct {
	m     *Manager
	d     *definition
	env   []string
	cred  vfs.Cred
	home  string
	epoch int
}

// command strips the prefixes of a command line and splits it.
func (r *runner) command(line string) (args []string, ignore, root bool) {
	for line != "" && strings.IndexByte("-@:+!", line[0]) >= 0 {
		ignore = ignore || line[0] == '-'
		root = root || line[0] == '+' || line[0] == '!'
		line = line[1:]
	}
	vars := map[string]string{}
	for _, kv := range r.env {
		k, v, _ := strings.Cut(kv, "=")
		vars[k] = v
	}
	return splitCommand(line, vars), ignore, root
}

// once runs a command to its end and reports whether it succeeded.
func (r *runner) once(ctx context.Context, line string) bool {
	args, ignore, root := r.command(line)
	if len(args) == 0 {
		return true
	}
	p, err := r.start(args, root, nil)
	if err != nil {
		return ignore
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Signal(guest.SIGKILL)
		return false
	}
	return p.Status() == 0 || ignore
}

func (r *runner) start(args []string, root bool, ready func()) (*guest.Process, error) {
	cred := r.cred
	if root {
		cred = vfs.Root()
	}
	dir := r.d.value("Service", "WorkingDirectory")
	if dir == "" || dir == "~" || strings.HasPrefix(dir, "-") {
		dir = "/"
	}
	out := &journalWriter{m: r.m, unit: r.d.name, who: path.Base(args[0])}
	return r.m.k.Start(guest.Spec{
		Args: args, Env: append(r.env[:len(r.env):len(r.env)], "HOME="+r.home), Dir: dir, Cred: cred, Unit: r.d.name, Ready: ready,
		Files: map[int]guest.File{0: guest.Null{}, 1: guest.Stream{W: out}, 2: guest.Stream{W: out}},
		Run: func(ctx context.Context, p *guest.Process) int {
			run, full, err := p.Load(args)
			if err != nil {
				p.Errorf("%s: Failed to locate executable %s: No such file or directory", r.d.name, args[0])
				return 203
			}
			return p.Become(ctx, run, full)
		},
	})
}

// daemon starts the main process and waits until it counts as started.
func (r *runner) daemon(ctx context.Context, line string) error {
	args, _, root := r.command(line)
	if len(args) == 0 {
		return fmt.Errorf("it has a bad unit file setting")
	}
	if r.idle(args[0]) {
		r.m.mu.Lock()
		r.m.put(r.d, "active", "running").result = "success"
		r.m.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	var once sync.Once
	p, err := r.start(args, root, func() { once.Do(func() { close(ready) }) })
	if err != nil {
		return err
	}
	running := func() {
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		u := r.m.units[r.d.name]
		if u != nil && u.epoch == r.epoch && !u.stopping && u.sub != "auto-restart" {
			u = r.m.put(r.d, "active", "running")
			u.main, u.result = p, "success"
		}
	}
	r.m.mu.Lock()
	if u := r.m.units[r.d.name]; u != nil && u.epoch == r.epoch {
		u.main = p
	}
	r.m.mu.Unlock()
	switch r.d.value("Service", "Type") {
	case "notify", "notify-reload", "forking", "dbus":
		select {
		case <-ready:
		case <-p.Done():
			return fmt.Errorf("the control process exited with error code")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		running()
	default:
		running()
	}
	go r.reap(p)
	return nil
}

// idle reports whether a program has no model: then the service counts as running without doing anything.
func (r *runner) idle(program string) bool {
	text, err := r.m.machine().FS.ReadFile(vfs.Root(), program)
	if err != nil {
		return false
	}
	name, _, ok := guest.ProgramOf(text)
	return ok && r.m.machine().Programs[name] == nil
}

// reap waits for the end of the main process.
func (r *runner) reap(p *guest.Process) {
	select {
	case <-p.Done():
	case <-r.m.k.Done():
		return
	}
	r.m.mu.Lock()
	u := r.m.units[r.d.name]
	if u == nil || u.main != p || u.stopping {
		r.m.mu.Unlock()
		return
	}
	u.exit = p.Status()
	clean := p.Status() == 0 || p.Killed() == guest.SIGTERM
	r.m.mu.Unlock()
	if clean && r.d.value("Service", "Restart") != "always" {
		r.m.mu.Lock()
		u.active, u.sub, u.main = "inactive", "dead", nil
		r.m.mu.Unlock()
		return
	}
	r.m.Log(r.d.name, "systemd", fmt.Sprintf("%s: Main process exited, code=exited, status=%d", r.d.name, p.Status()))
	r.m.failed(r.d, r.epoch, "exit-code")
}

// journalWriter puts lines into the journal.
type journalWriter struct {
	m         *Manager
	unit, who string
	mu        sync.Mutex
	rest      string
}

func (w *journalWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest += string(b)
	for {
		line, rest, ok := strings.Cut(w.rest, "\n")
		if !ok {
			return len(b), nil
		}
		w.rest = rest
		w.m.Log(w.unit, w.who, line)
	}
}

var _ io.Writer = (*journalWriter)(nil)

// Boot starts what is enabled, in the order that units ask for.
func Boot(k *guest.Kernel) {
	m := Of(k)
	var names []string
	for _, dir := range wantsDirs(k.Machine) {
		entries, err := k.Machine.FS.ReadDir(vfs.Root(), dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !slices.Contains(names, e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	for _, name := range ordered(k.Machine, names) {
		m.Start(k.Context(), name) //nolint:errcheck // recorded in the unit
	}
}

// ordered puts units behind those that they name in After.
func ordered(m *guest.Machine, names []string) []string {
	slices.Sort(names)
	var out []string
	done := map[string]bool{}
	var visit func(name string, depth int)
	visit = func(name string, depth int) {
		if done[name] || depth > 50 {
			return
		}
		done[name] = true
		if d := load(m, name); d != nil {
			for _, after := range slices.Concat(d.words("Unit", "After"), d.words("Unit", "Requires")) {
				if slices.Contains(names, after) {
					visit(after, depth+1)
				}
			}
		}
		out = append(out, name)
	}
	for _, n := range names {
		visit(n, 0)
	}
	return out
}
