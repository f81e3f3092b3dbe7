package vagrant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
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

// TestMain plays what only a real process can show: with PODIUM_PLAY=hang a program that does not end, with
// launcher one whose work is done by a program that it starts, with korean one that writes as Korean Windows does.
func TestMain(m *testing.M) {
	switch os.Getenv("PODIUM_PLAY") {
	case "":
		os.Exit(m.Run())
	case "launcher":
		launch()
	case "worker":
		work(os.Getenv("PODIUM_PLAY_FILE"))
	case "korean":
		fmt.Println(korean)
		os.Exit(0)
	}
	time.Sleep(time.Minute)
}

// korean is C:\Users\홍길동\VirtualBox VMs as VBoxManage writes it on Korean Windows, in code page 949.
const korean = `C:\Users\` + "\xc8\xab\xb1\xe6\xb5\xbf" + `\VirtualBox VMs`

// launch starts the worker, which has an output of its own.
func launch() {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "PODIUM_PLAY=worker")
	if err := c.Start(); err != nil {
		panic(err)
	}
}

// work listens as long as it runs, and writes the address into a file.
func work(file string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		err = os.WriteFile(file+".new", []byte(l.Addr().String()), 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		panic(err)
	}
	time.Sleep(time.Minute)
	_ = l.Close()
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
	State     string // as showvminfo --machinereadable has it
	Snapshots []snapshot
	Settings  map[string]string // of showvminfo

	Becomes string // what it is after some more looks at it
	Looks   int
	asked   int // showvminfo calls while it was starting
}

// longStates are the words of `list --long vms` where they are not those of showvminfo.
var longStates = map[string]string{"poweroff": "powered off", "gurumeditation": "guru meditation"}

// off says that a machine has no process.
func (vm *fakeVM) off() bool {
	return slices.Contains([]string{"poweroff", "aborted", "saved"}, vm.State)
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

// labs are the machines but the box's master.
func (h *fakeHost) labs() map[string]*fakeVM {
	h.mu.Lock()
	defer h.mu.Unlock()
	vms := maps.Clone(h.VMs)
	maps.DeleteFunc(vms, func(_ string, vm *fakeVM) bool { return vm.Name == masterName })
	return vms
}

const masterName = "box_1"

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
		return h.list()
	}
	id := args[1]
	if args[0] == "modifyvm" || args[0] == "clonevm" || args[0] == "controlvm" || args[0] == "startvm" || args[0] == "snapshot" || args[0] == "showvminfo" || args[0] == "unregistervm" {
		if h.VMs[id] == nil {
			_, _ = fmt.Fprint(h.err, missingVM)
			return 1
		}
	}
	vm := h.VMs[id]
	refuse := func(format string, args ...any) int {
		_, _ = fmt.Fprintf(h.err, "VBoxManage: error: "+format+"\n", args...)
		return 1
	}
	if args[0] == "controlvm" && vm.off() {
		return refuse("Machine '%s' is not currently running.", vm.Name)
	}
	switch strings.Join(append([]string{args[0]}, args[2:min(3, len(args))]...), " ") {
	case "startvm --type":
		if !vm.off() {
			return refuse("The machine '%s' is already locked by a session (or being locked or unlocked)", vm.Name)
		}
		vm.State = "running"
	case "controlvm acpipowerbutton":
		if vm.State != "running" {
			return refuse("Invalid machine state: %s", map[string]string{"gurumeditation": "GuruMeditation", "paused": "Paused"}[vm.State])
		}
		vm.State = "poweroff"
	case "controlvm poweroff":
		vm.State = "poweroff"
	case "controlvm resume":
		vm.State = "running"
	case "showvminfo --machinereadable":
		if vm.State == "starting" {
			vm.asked++
		}
		_, _ = fmt.Fprintf(h.out, "name=%q\nVMState=%q\n", vm.Name, vm.State)
		for _, key := range slices.Sorted(maps.Keys(vm.Settings)) {
			_, _ = fmt.Fprintf(h.out, "%s=%q\n", key, vm.Settings[key])
		}
	case "clonevm --register":
		return h.clone(args[1:])
	case "modifyvm " + args[min(2, len(args)-1)]:
		vm.modify(args[2:])
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

func (h *fakeCall) list() int {
	for id, vm := range h.VMs {
		if vm.Looks > 0 {
			if vm.Looks--; vm.Looks == 0 {
				vm.State = vm.Becomes
			}
		}
		state, ok := longStates[vm.State]
		if !ok {
			state = vm.State
		}
		_, _ = fmt.Fprintf(h.out, "Name:                        %s\nGroups:                      /\nUUID:                        %s\n"+
			"State:                       %s (since 2026-11-29T01:06:26.969000000)\nShared folders:              <none>\n\n", vm.Name, id, state)
	}
	return 0
}

// clone makes a linked clone of the master: MASTER --register --name N --snapshot S --options link --uuid ID.
func (h *fakeCall) clone(args []string) int {
	master, name, id := h.VMs[args[0]], args[3], args[9]
	if !hasTag(master.Snapshots, args[5]) {
		_, _ = fmt.Fprintln(h.err, "VBoxManage: error: Could not find a snapshot named", args[5])
		return 1
	}
	h.VMs[id] = &fakeVM{Name: name, State: "poweroff", Settings: maps.Clone(master.Settings)}
	return 0
}

// modify takes options of modifyvm as what showvminfo says.
func (vm *fakeVM) modify(args []string) {
	for i := 0; i+1 < len(args); i += 2 {
		key := strings.TrimPrefix(args[i], "--")
		if key == "natpf1" {
			key = "Forwarding(0)"
		}
		vm.Settings[key] = args[i+1]
	}
}

// hardware are the settings that Vagrant gives to a machine.
func hardware() []string {
	args := []string{"--rtcuseutc", "on", "--memory", "1024", "--cpus", "1", "--groups", "/lab", "--natdnsproxy1", "off", "--natdnshostresolver1", "on",
		"--nic1", "nat", "--nictype1", "82540EM", "--cableconnected1", "on", "--macaddress1", "080027A1B2C3",
		"--nic2", "hostonly", "--hostonlyadapter2", "vboxnet0", "--nictype2", "82540EM", "--cableconnected2", "on", "--natpf1", "ssh,..."}
	for n := 3; n <= 8; n++ {
		args = append(args, fmt.Sprintf("--nic%d", n), "none")
	}
	return args
}

// makeMaster gives the box a machine whose disk all others share.
func (h *fakeCall) makeMaster() {
	folder := filepath.Join(h.home, "boxes", "a-VAGRANTSLASH-b", "1.0", "virtualbox")
	if text, err := os.ReadFile(filepath.Join(folder, "master_id")); err == nil && h.VMs[string(text)] != nil {
		return
	}
	id := h.uuid()
	h.VMs[id] = &fakeVM{Name: masterName, State: "poweroff", Snapshots: []snapshot{{id: h.uuid(), tag: "base"}}, Settings: map[string]string{
		"nic1": "nat", "nictype1": "82540EM", "chipset": "piix3", "SATA Controller-0-0": "/disk", "SATA Controller-1-0": "none"}}
	must(os.MkdirAll(folder, 0o700))
	must(os.WriteFile(filepath.Join(folder, "master_id"), []byte(id), 0o600))
	must(os.WriteFile(filepath.Join(folder, "Vagrantfile"), []byte(`config.vm.base_mac = "080027A1B2C3"`), 0o600))
	must(os.WriteFile(filepath.Join(h.home, "insecure_private_key"), []byte("everybody's"), 0o600))
}

// addToIndex adds a machine to Vagrant's index.
func (h *fakeCall) addToIndex(node, data string) {
	path := indexPath(h.home)
	must(os.MkdirAll(filepath.Dir(path), 0o700))
	index, err := readIndex(path)
	if err != nil {
		index = machineIndex{Version: 1, Machines: map[string]json.RawMessage{}}
	}
	id := fmt.Sprintf("%032d", len(index.Machines)+1)
	index.Machines[id] = fmt.Appendf(nil, `{"name":%q,"state":"preparing","extra_data":{"box":{"name":"a/b","provider":"virtualbox","version":"1.0"}}}`, node)
	text, err := json.Marshal(index)
	must(err)
	must(os.WriteFile(path, text, 0o600))
	must(os.WriteFile(filepath.Join(data, "index_uuid"), []byte(id), 0o600))
}

// upStages are what a boot does, in order; a rule with a stage fails right after it.
var upStages = []string{"clone", "name", "start", "network"}

func (h *fakeCall) vagrantUp(node string, r *rule) int {
	data := filepath.Join(h.dotfile, "machines", node, "virtualbox")
	must(os.MkdirAll(data, 0o700))
	line := func(kind, text string) {
		h.mu.Unlock() // who reads this may ask VBoxManage something
		defer h.mu.Lock()
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
				h.makeMaster()
				id = h.uuid()
				h.VMs[id] = &fakeVM{Name: "temp_clone_1", State: "poweroff", Settings: map[string]string{
					"chipset": "piix3", "SATA Controller-0-0": "/clone", "SATA Controller-1-0": "none"}}
				must(os.WriteFile(filepath.Join(data, "id"), []byte(id), 0o600))
				h.addToIndex(node, data)
			}
		case "name":
			h.VMs[id].Name = "lab-" + node
			h.VMs[id].modify(hardware())
		case "start":
			h.VMs[id].State = "starting"
			line("info", "Booting VM...")
			h.VMs[id].State = "running"
			line("info", "Waiting for machine to boot. This may take a few minutes...")
		case "network":
			must(os.WriteFile(filepath.Join(data, "private_key"), []byte("vagrant's own"), 0o600))
			must(os.WriteFile(filepath.Join(data, "box_meta"), []byte("{}"), 0o600))
			for _, name := range []string{"action_set_name", "creator_uid", "synced_folders", "vagrant_cwd"} {
				must(os.WriteFile(filepath.Join(data, name), nil, 0o600))
			}
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
		Provider: lab.ProviderVirtualBox, Lab: "lab", Dir: f.lab, Dialer: f.dials, Tools: Tools{VBoxManage: "VBoxManage", Vagrant: "vagrant"}, exec: f.host.exec, patience: time.Second, FastBoot: true,
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
	network string            // what showNetwork prints on cp; empty: its usual answer
	fails   error             // of guestsetup.sh
	stdin   map[string]string // of guestsetup.sh, by node
	refuses string            // content of a key file that opens nothing
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
	if d.refuses != "" && d.refuses == key {
		return nil, fmt.Errorf("%s: %w", e.Node, remote.ErrAuth)
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

func (d *fakeDialer) Forget(context.Context, string) error { return nil }

func (n *fakeNode) Name() string { return n.name }
func (n *fakeNode) Run(_ context.Context, c remote.Command) (remote.Result, error) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	switch {
	case slices.Contains(c.Args, showNetwork):
		text := n.d.network
		if text == "" {
			text = "/etc/netplan/50-vagrant.yaml\n600\nnetwork:\n  ethernets:\n    eth1:\n      addresses: [192.168.56.10/24]\n"
		}
		return remote.Result{Stdout: []byte(text)}, nil
	case slices.Contains(c.Args, guestSetupScript):
		text, err := io.ReadAll(c.Stdin)
		if err == nil {
			err = n.d.fails
		}
		if n.d.stdin == nil {
			n.d.stdin = map[string]string{}
		}
		n.d.stdin[n.name] = string(text)
		return remote.Result{}, err
	}
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
