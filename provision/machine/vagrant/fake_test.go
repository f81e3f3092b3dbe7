package vagrant

import (
	"bytes"
	"context"
	"encoding/json"
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

// The test program plays VBoxManage and vagrant too: with PODIUM_FAKE set it answers as they do, keeps machines in
// that folder, and fails as its rules say.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PODIUM_FAKE"); dir != "" {
		os.Exit(fakeMain(dir, os.Args[1:]))
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
	Hang   bool
}

type fakeVM struct {
	Name      string
	State     string
	Snapshots []snapshot
}

type fakeHost struct {
	VMs   map[string]*fakeVM
	Rules []rule
	Calls []string
	Next  int
}

// fakeLock keeps the fakes from changing the host at once.
func fakeLock(dir string, do func(*fakeHost)) {
	for {
		f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_ = f.Close()
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	defer func() { _ = os.Remove(filepath.Join(dir, "lock")) }()
	h := &fakeHost{VMs: map[string]*fakeVM{}}
	path := filepath.Join(dir, "host.json")
	if text, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(text, h); err != nil {
			panic(err)
		}
	}
	do(h)
	text, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		panic(err)
	}
}

func fakeMain(dir string, args []string) int {
	call := strings.Join(args, " ")
	var r *rule
	code := -1
	fakeLock(dir, func(h *fakeHost) {
		h.Calls = append(h.Calls, call)
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
		if r == nil || r.Stage != "" {
			code = h.act(args, r)
		}
	})
	if r == nil {
		return code
	}
	fmt.Print(r.Stdout)
	fmt.Fprint(os.Stderr, r.Stderr)
	if r.Hang {
		time.Sleep(time.Minute)
	}
	return r.Code
}

const missingVM = "VBoxManage: error: Could not find a registered machine named 'x'\nVBoxManage: error: Details: code VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)\n"

// act does what the call asks for.
func (h *fakeHost) act(args []string, r *rule) int {
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
			fmt.Fprint(os.Stderr, missingVM)
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
		fmt.Printf("name=%q\nVMState=%q\n", vm.Name, vm.State)
	case "snapshot list":
		if len(vm.Snapshots) == 0 {
			fmt.Println("This machine does not have any snapshots")
			return 1
		}
		place := ""
		for _, s := range vm.Snapshots {
			fmt.Printf("SnapshotName%s=%q\nSnapshotUUID%s=%q\n", place, s.tag, place, s.id)
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
		fmt.Fprintln(os.Stderr, "the fake does not know", args)
		return 2
	}
	return 0
}

// MarshalJSON and UnmarshalJSON, since a snapshot's fields are not exported.
func (s snapshot) MarshalJSON() ([]byte, error) { return json.Marshal([]string{s.id, s.tag}) }

func (s *snapshot) UnmarshalJSON(text []byte) error {
	var pair []string
	err := json.Unmarshal(text, &pair)
	if err == nil {
		s.id, s.tag = pair[0], pair[1]
	}
	return err
}

func (h *fakeHost) uuid() string {
	h.Next++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", h.Next)
}

func (h *fakeHost) list(what string) int {
	for id, vm := range h.VMs {
		if what == "vms" || what == "runningvms" && (vm.State == "running" || vm.State == "paused") {
			fmt.Printf("%q {%s}\n", vm.Name, id)
		}
	}
	return 0
}

// upStages are what a boot does, in order; a rule with a stage fails right after it.
var upStages = []string{"clone", "name", "start", "network"}

func (h *fakeHost) vagrantUp(node string, r *rule) int {
	data := filepath.Join(os.Getenv("VAGRANT_DOTFILE_PATH"), "machines", node, "virtualbox")
	must(os.MkdirAll(data, 0o700))
	line := func(kind, text string) { fmt.Printf("1700000000,%s,ui,%s,==> %s: %s\n", node, kind, node, text) }
	id := ""
	if text, err := os.ReadFile(filepath.Join(data, "id")); err == nil && h.VMs[string(text)] != nil {
		id = string(text)
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

func (h *fakeHost) vagrantDestroy(node string) int {
	data := filepath.Join(os.Getenv("VAGRANT_DOTFILE_PATH"), "machines", node, "virtualbox")
	if text, err := os.ReadFile(filepath.Join(data, "id")); err == nil {
		delete(h.VMs, string(text))
	}
	must(os.RemoveAll(data))
	return 0
}

func (h *fakeHost) boxAdd(name string) int {
	folder := filepath.Join(os.Getenv("VAGRANT_HOME"), "boxes", strings.ReplaceAll(name, "/", "-VAGRANTSLASH-"), "1.0", "virtualbox")
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
	dir   string // the fakes' folder
	lab   string // .podium/vagrant
	spec  machine.Spec
	dials *fakeDialer
	mu    sync.Mutex
	said  []string
}

func newFixture(t *testing.T, rules ...rule) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir(), dials: &fakeDialer{accepts: map[string]string{}}}
	f.lab = filepath.Join(f.dir, "lab", ".podium", "vagrant")
	t.Setenv("PODIUM_FAKE", f.dir)
	t.Setenv("VAGRANT_HOME", filepath.Join(f.dir, "home"))
	f.rules(rules...)
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
	fakeLock(f.dir, func(h *fakeHost) { h.Rules = rules })
}

func (f *fixture) host() (h fakeHost) {
	fakeLock(f.dir, func(now *fakeHost) { h = *now })
	return h
}

// calls lists those that the fakes got since the last time.
func (f *fixture) calls() (calls []string) {
	fakeLock(f.dir, func(h *fakeHost) { calls, h.Calls = h.Calls, nil })
	return calls
}

// provider is a fresh one, as a new podium command would make it.
func (f *fixture) provider(change ...func(*Options)) *Provider {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	o := Options{
		Provider: lab.ProviderVirtualBox, Lab: "lab", Dir: f.lab, Dialer: f.dials, Tools: Tools{VBoxManage: self, Vagrant: self},
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
		if !bytes.Contains([]byte(text), []byte(w)) {
			return false
		}
	}
	return true
}
