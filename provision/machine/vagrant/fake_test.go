package vagrant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/remote"
)

// TestMain plays a program that hangs when PODIUM_HANG is set: for what only a real process can show.
func TestMain(m *testing.M) {
	if os.Getenv("PODIUM_HANG") != "" {
		time.Sleep(time.Minute)
	}
	os.Exit(m.Run())
}

// rule makes a call fail. The first one that fits and is not used up wins.
type rule struct {
	Match  string // regular expression on the call's words
	Times  int    // 0: always
	Stage  string // of `vagrant up`: what it has done before it fails
	Stdout string
	Stderr string
	Code   int
}

type fakeVM struct {
	Name      string
	State     string
	Snapshots []snapshot
}

// fakeHost plays VBoxManage and vagrant: it answers as they do, keeps machines, and fails as its rules say.
type fakeHost struct {
	mu    sync.Mutex
	VMs   map[string]*fakeVM
	Rules []rule
	Calls []string
	Next  int

	home, dotfile string // VAGRANT_HOME and VAGRANT_DOTFILE_PATH
}

// exec is one call of VBoxManage or vagrant, in place of a process.
func (h *fakeHost) exec(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error) {
	if err := ctx.Err(); err != nil {
		return -1, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	call := strings.Join(args, " ")
	h.Calls = append(h.Calls, call)
	var r *rule
	for i := range h.Rules {
		if regexp.MustCompile(h.Rules[i].Match).MatchString(call) && h.Rules[i].Times >= 0 {
			found := h.Rules[i]
			r = &found
			if h.Rules[i].Times == 1 {
				h.Rules[i].Times = -1
			} else if h.Rules[i].Times > 1 {
				h.Rules[i].Times--
			}
			break
		}
	}
	fake := &fakeCall{fakeHost: h, out: stdout, err: stderr}
	if r == nil {
		return fake.act(args, nil), nil
	}
	if r.Stage != "" {
		fake.act(args, r)
	}
	_, _ = io.WriteString(stdout, r.Stdout)
	_, _ = io.WriteString(stderr, r.Stderr)
	return r.Code, nil
}

// fakeCall is one call with its output.
type fakeCall struct {
	*fakeHost
	out, err io.Writer
}

const missingVM = "VBoxManage: error: Could not find a registered machine named 'x'\nVBoxManage: error: Details: code VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)\n"

// act does what the call asks for.
func (h *fakeCall) act(args []string, r *rule) int {
	switch args[0] {
	case "up":
		return h.vagrantUp(args[1], r)
	case "destroy":
		return h.vagrantDestroy(args[1])
	case "box":
		return h.boxAdd(args[2])
	case "list":
		return h.list(args[1])
	}
	id := args[1]
	if args[0] == "controlvm" || args[0] == "startvm" || args[0] == "snapshot" || args[0] == "showvminfo" || args[0] == "unregistervm" {
		if h.VMs[id] == nil {
			_, _ = fmt.Fprint(h.err, missingVM)
			return 1
		}
	}
	vm := h.VMs[id]
	switch strings.Join(append([]string{args[0]}, args[2:min(3, len(args))]...), " ") {
	case "startvm --type":
		vm.State = "running"
	case "controlvm acpipowerbutton", "controlvm poweroff":
		vm.State = "poweroff"
	case "controlvm resume":
		vm.State = "running"
	case "showvminfo --machinereadable":
		_, _ = fmt.Fprintf(h.out, "name=%q\nVMState=%q\n", vm.Name, vm.State)
	case "snapshot list":
		if len(vm.Snapshots) == 0 {
			_, _ = fmt.Fprintln(h.out, "This machine does not have any snapshots")
			return 1
		}
		place := ""
		for _, s := range vm.Snapshots {
			_, _ = fmt.Fprintf(h.out, "SnapshotName%s=%q\nSnapshotUUID%s=%q\n", place, s.tag, place, s.id)
			place += "-1"
		}
	case "snapshot take":
		vm.Snapshots = append(vm.Snapshots, snapshot{id: h.uuid(), tag: args[3]})
	case "snapshot restore":
	case "snapshot delete":
		vm.Snapshots = slices.DeleteFunc(vm.Snapshots, func(s snapshot) bool { return s.id == args[3] })
	case "unregistervm --delete":
		delete(h.VMs, id)
	default:
		_, _ = fmt.Fprintln(h.err, "the fake does not know", args)
		return 2
	}
	return 0
}

func (h *fakeCall) uuid() string {
	h.Next++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", h.Next)
}

func (h *fakeCall) list(what string) int {
	for id, vm := range h.VMs {
		if what == "vms" || what == "runningvms" && (vm.State == "running" || vm.State == "paused") {
			_, _ = fmt.Fprintf(h.out, "%q {%s}\n", vm.Name, id)
		}
	}
	return 0
}

// upStages are what a boot does, in order; a rule with a stage fails right after it.
var upStages = []string{"clone", "name", "start", "network"}

func (h *fakeCall) vagrantUp(node string, r *rule) int {
	data := filepath.Join(h.dotfile, "machines", node, "virtualbox")
	must(os.MkdirAll(data, 0o700))
	line := func(kind, text string) {
		_, _ = fmt.Fprintf(h.out, "1700000000,%s,ui,%s,==> %s: %s\n", node, kind, node, text)
	}
	id := ""
	if text, err := os.ReadFile(filepath.Join(data, "id")); err == nil && h.VMs[string(text)] != nil {
		id = string(text)
	}
	if id != "" && h.VMs[id].State == "running" { // Vagrant takes a machine that runs for finished
		line("info", "Machine already provisioned")
		return 0
	}
	for _, stage := range upStages {
		switch stage {
		case "clone":
			if id == "" {
				line("info", "Cloning VM...")
				id = h.uuid()
				h.VMs[id] = &fakeVM{Name: "temp_clone_1", State: "poweroff"}
				must(os.WriteFile(filepath.Join(data, "id"), []byte(id), 0o600))
			}
		case "name":
			h.VMs[id].Name = "lab-" + node
		case "start":
			line("info", "Booting VM...")
			h.VMs[id].State = "running"
		case "network":
			must(os.WriteFile(filepath.Join(data, "private_key"), []byte("vagrant's own"), 0o600))
			line("output", "Machine booted and ready!")
		}
		if r != nil && r.Stage == stage {
			return r.Code
		}
	}
	return 0
}

func (h *fakeCall) vagrantDestroy(node string) int {
	data := filepath.Join(h.dotfile, "machines", node, "virtualbox")
	if text, err := os.ReadFile(filepath.Join(data, "id")); err == nil {
		delete(h.VMs, string(text))
	}
	must(os.RemoveAll(data))
	return 0
}

func (h *fakeCall) boxAdd(name string) int {
	folder := filepath.Join(h.home, "boxes", strings.ReplaceAll(name, "/", "-VAGRANTSLASH-"), "1.0", "virtualbox")
	must(os.MkdirAll(folder, 0o700))
	must(os.WriteFile(filepath.Join(folder, "metadata.json"), []byte("{}"), 0o600))
	return 0
}

func must(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		panic(err)
	}
}

// fixture is a lab of three nodes on the fakes.
type fixture struct {
	t     *testing.T
	host  *fakeHost
	lab   string // .podium/vagrant
	spec  machine.Spec
	dials *fakeDialer
	mu    sync.Mutex
	said  []string
}

func newFixture(t *testing.T, rules ...rule) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{t: t, dials: &fakeDialer{accepts: map[string]string{}}}
	f.lab = filepath.Join(dir, "lab", ".podium", "vagrant")
	f.host = &fakeHost{VMs: map[string]*fakeVM{}, Rules: rules, home: filepath.Join(dir, "home"), dotfile: filepath.Join(f.lab, ".vagrant")}
	t.Setenv("VAGRANT_HOME", f.host.home)
	f.spec = machine.Spec{
		Lab:       lab.Lab{Name: "lab", Provider: lab.ProviderVirtualBox, Box: "a/b", Network: "192.168.56.0/24", User: "vagrant"},
		PublicKey: "ssh-ed25519 AAAA podium",
	}
	for i, name := range []string{"cp", "w1", "w2"} {
		f.spec.Machines = append(f.spec.Machines, lab.Machine{
			Name: name, CPUs: 1, Memory: lab.GiB, Address: netip.AddrFrom4([4]byte{192, 168, 56, byte(10 + i)}),
		})
	}
	return f
}

func (f *fixture) rules(rules ...rule) {
	f.host.mu.Lock()
	defer f.host.mu.Unlock()
	f.host.Rules = rules
}

// calls lists those that the fake got since the last time.
func (f *fixture) calls() []string {
	f.host.mu.Lock()
	defer f.host.mu.Unlock()
	calls := f.host.Calls
	f.host.Calls = nil
	return calls
}

// provider is a fresh one, as a new podium command would make it.
func (f *fixture) provider(change ...func(*Options)) *Provider {
	f.t.Helper()
	o := Options{
		Provider: lab.ProviderVirtualBox, Lab: "lab", Dir: f.lab, Dialer: f.dials, Tools: Tools{VBoxManage: "VBoxManage", Vagrant: "vagrant"}, exec: f.host.exec,
		Sink: event.Func(func(e event.Event) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.said = append(f.said, e.Text)
		}),
	}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

func (f *fixture) prepared(change ...func(*Options)) *Provider {
	f.t.Helper()
	p := f.provider(change...)
	if err := p.Prepare(f.t.Context(), f.spec); err != nil {
		f.t.Fatal(err)
	}
	return p
}

func (f *fixture) up(p *Provider, names ...string) {
	f.t.Helper()
	for _, name := range names {
		if _, err := p.Up(f.t.Context(), name); err != nil {
			f.t.Fatalf("up %s: %v", name, err)
		}
	}
}

// states gives those that Status tells.
func (f *fixture) states(p *Provider) map[string]machine.State {
	f.t.Helper()
	s, err := p.Status(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// fakeDialer lets in who has the right key: per node the content of the key file; the lab's own is "".
type fakeDialer struct {
	mu      sync.Mutex
	accepts map[string]string
	ran     []remote.Command
}

func (d *fakeDialer) Dial(_ context.Context, e remote.Endpoint) (remote.Host, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := ""
	if e.KeyFile != "" {
		text, err := os.ReadFile(e.KeyFile)
		if err != nil {
			return nil, err
		}
		key = string(text)
	}
	if want, ok := d.accepts[e.Node]; ok && want != key {
		return nil, fmt.Errorf("%s: %w", e.Node, remote.ErrAuth)
	}
	return &fakeNode{d: d, name: e.Node}, nil
}

type fakeNode struct {
	d    *fakeDialer
	name string
}

func (n *fakeNode) Name() string { return n.name }
func (n *fakeNode) Run(_ context.Context, c remote.Command) (remote.Result, error) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	n.d.ran = append(n.d.ran, c)
	delete(n.d.accepts, n.name) // from now on the lab's key opens it
	return remote.Result{}, nil
}
func (n *fakeNode) Put(context.Context, remote.File) error             { return errors.ErrUnsupported }
func (n *fakeNode) Get(_ context.Context, _ string, w io.Writer) error { return errors.ErrUnsupported }
func (n *fakeNode) Close() error                                       { return nil }
func contains(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
