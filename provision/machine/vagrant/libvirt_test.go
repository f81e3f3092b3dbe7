package vagrant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
)

// fakeLibvirt plays virsh and vagrant with vagrant-libvirt, as libvirt 9.0 and vagrant-libvirt 0.11.2 were seen to
// answer: vagrant removes the lab's network only with the machine that made it, and only when no other is on it.
type fakeLibvirt struct {
	mu      sync.Mutex
	domains map[string]*fakeVM
	network string // the lab's network: "" none, else the node that vagrant made it for
	active  bool
	deaf    bool // machines do not listen to their power button
	calls   []string
	dotfile string
}

func (l *fakeLibvirt) exec(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error) {
	if err := ctx.Err(); err != nil {
		return -1, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if args[0] == "--connect" {
		args = args[3:]
	}
	l.calls = append(l.calls, strings.Join(args, " "))
	if said := l.act(stdout, args); said != "" {
		_, _ = fmt.Fprintln(stderr, "error: "+said)
		return 1, nil
	}
	return 0, nil
}

// act does what the call asks for and gives what is wrong, if anything.
func (l *fakeLibvirt) act(out io.Writer, args []string) string {
	switch args[0] {
	case "box":
		return ""
	case "up":
		return l.vagrantUp(args[1])
	case "destroy":
		if len(args) == 3 {
			return l.vagrantDestroy(args[1])
		}
	case "list":
		for id, d := range l.domains {
			if args[1] == "--all" || d.State == "running" {
				_, _ = fmt.Fprintf(out, "%s %-30s\n", id, d.Name)
			}
		}
		return ""
	case "net-dumpxml", "net-destroy", "net-undefine":
		return l.net(out, args[0], args[1])
	}
	return l.domain(out, args)
}

func (l *fakeLibvirt) domain(out io.Writer, args []string) string {
	d := l.domains[args[1]]
	if d == nil {
		return "failed to get domain '" + args[1] + "'"
	}
	switch args[0] {
	case "domstate":
		_, _ = fmt.Fprintln(out, map[string]string{"running": "running", "paused": "paused"}[d.State])
	case "start":
		if !l.active {
			return "Failed to start domain: Network not found: no network with matching name 'podium-lab'"
		}
		d.State = "running"
	case "resume":
		d.State = "running"
	case "shutdown":
		if !l.deaf {
			d.State = "shut off"
		}
	case "destroy":
		if d.State != "running" {
			return "Requested operation is not valid: domain is not running"
		}
		d.State = "shut off"
	case "snapshot-list":
		for _, s := range d.Snapshots {
			_, _ = fmt.Fprintln(out, s.tag)
		}
	case "snapshot-create-as":
		if hasTag(d.Snapshots, args[3]) {
			return "operation failed: domain moment " + args[3] + " already exists"
		}
		d.Snapshots = append(d.Snapshots, snapshot{id: args[3], tag: args[3]})
	case "snapshot-delete":
		d.Snapshots = slices.DeleteFunc(d.Snapshots, func(s snapshot) bool { return s.tag == args[2] })
	case "snapshot-revert":
	default:
		return "unknown command: '" + args[0] + "'"
	}
	return ""
}

func (l *fakeLibvirt) net(out io.Writer, what, name string) string {
	if l.network == "" || name != "podium-lab" {
		return "failed to get network '" + name + "'\nerror: Network not found: no network with matching name '" + name + "'"
	}
	switch what {
	case "net-dumpxml":
		on := 0
		for _, d := range l.domains {
			if d.State == "running" {
				on++
			}
		}
		attribute := ""
		if on > 0 {
			attribute = fmt.Sprintf(" connections='%d'", on)
		}
		_, _ = fmt.Fprintf(out, "<network%s ipv6='yes'>\n  <name>%s</name>\n</network>\n", attribute, name)
	case "net-destroy":
		if !l.active {
			return "Requested operation is not valid: network '" + name + "' is not active"
		}
		l.active = false
	case "net-undefine":
		l.network = ""
	}
	return ""
}

func (l *fakeLibvirt) vagrantUp(node string) string {
	folder := filepath.Join(l.dotfile, "machines", node, "libvirt")
	must(os.MkdirAll(folder, 0o700))
	id := "00000000-0000-4000-8000-" + fmt.Sprintf("%012x", node)
	must(os.WriteFile(filepath.Join(folder, "id"), []byte(id), 0o600))
	if l.network == "" {
		l.network = node
	}
	l.active = true
	l.domains[id] = &fakeVM{Name: "lab-" + node, State: "running"}
	return ""
}

func (l *fakeLibvirt) vagrantDestroy(node string) string {
	folder := filepath.Join(l.dotfile, "machines", node, "libvirt")
	id, err := os.ReadFile(filepath.Join(folder, "id"))
	must(err)
	delete(l.domains, string(id))
	if l.network == node && !slices.ContainsFunc(l.states(), func(s string) bool { return s == "running" }) {
		l.network, l.active = "", false
	}
	must(os.RemoveAll(folder))
	return ""
}

func (l *fakeLibvirt) states() []string {
	var all []string
	for _, d := range l.domains {
		all = append(all, d.State)
	}
	return all
}

// libvirtProvider is a prepared one on the fake.
func libvirtProvider(t *testing.T) (*fakeLibvirt, *Provider) {
	t.Helper()
	f := newFixture(t)
	f.spec.Lab.Provider = lab.ProviderLibvirt
	l := &fakeLibvirt{domains: map[string]*fakeVM{}, dotfile: f.host.dotfile}
	p := f.prepared(func(o *Options) {
		o.Provider, o.Tools.Virsh, o.exec, o.HaltDeadline = lab.ProviderLibvirt, "virsh", l.exec, time.Millisecond
	})
	for _, name := range []string{"cp", "w1"} {
		at, err := p.Up(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if at.Port != 22 || !strings.HasPrefix(at.Host, "192.168.56.1") {
			t.Errorf("%s is reached at %+v, want its own address", name, at)
		}
	}
	return l, p
}

func TestLibvirtLife(t *testing.T) {
	l, p := libvirtProvider(t)
	states, err := p.Status(t.Context())
	if err != nil || len(states) != 2 || states["cp"] != machine.Running {
		t.Fatalf("%v, %v", states, err)
	}
	l.deaf = true // then the plug is pulled
	if err := errors.Join(p.Halt(t.Context(), "cp"), p.PowerOff(t.Context(), "w1"), p.PowerOff(t.Context(), "w1")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one takes the place of the first
		if err := p.Snapshot(t.Context(), "cp", "ready"); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Restore(t.Context(), "cp", "ready"); err != nil {
		t.Error(err)
	}
	if err := p.Restore(t.Context(), "cp", "other"); !errors.Is(err, machine.ErrNoSnapshot) {
		t.Errorf("restore of an unknown tag: %v", err)
	}
	l.calls = nil
	if _, err := p.Up(t.Context(), "cp"); err != nil {
		t.Error(err)
	}
	if slices.ContainsFunc(l.calls, func(c string) bool { return strings.HasPrefix(c, "up ") }) {
		t.Errorf("a known machine was started by Vagrant: %q", l.calls)
	}
	if states, err := p.Status(t.Context()); err != nil || states["cp"] != machine.Running || states["w1"] != machine.Stopped {
		t.Errorf("%v, %v", states, err)
	}
}

// TestCleanupRemovesNetwork destroys the machine that the network was made for first: Vagrant leaves it then.
func TestCleanupRemovesNetwork(t *testing.T) {
	l, p := libvirtProvider(t)
	for _, name := range []string{"cp", "w1"} {
		if err := p.Destroy(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if l.network == "" {
		t.Fatal("the fake has removed the network as Vagrant does not")
	}
	if err := p.Cleanup(t.Context()); err != nil || l.network != "" || l.active {
		t.Errorf("network of %q is left, active %t, %v", l.network, l.active, err)
	}
	if err := p.Cleanup(t.Context()); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestCleanupKeepsNetworkInUse(t *testing.T) {
	l, p := libvirtProvider(t)
	if err := errors.Join(p.Destroy(t.Context(), "cp"), p.Cleanup(t.Context())); err != nil || l.network == "" || !l.active {
		t.Errorf("the network of a running machine is gone, %v", err)
	}
	l.active = false // stopped by hand
	for _, d := range l.domains {
		d.State = "shut off"
	}
	if err := p.remember(func(map[string]nodeState) {}); err != nil { // Cleanup has taken it away
		t.Fatal(err)
	}
	if err := p.Cleanup(t.Context()); err != nil || l.network != "" {
		t.Errorf("an inactive network is left, %v", err)
	}
}
