package vagrant

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/lab"
	"podium/provision/machine"
)

// bootSectors are guests of 512 bytes. Neither knows of a power button.
var bootSectors = map[string][]byte{
	"idle":    {0xfb, 0xf4, 0xeb, 0xfc},                                                                // sti; hlt, without end
	"crashes": {0x31, 0xc0, 0x8e, 0xd8, 0x0f, 0x01, 0x1e, 0x20, 0x7c, 0xcc, 0x20: 0, 0x21: 0, 0x25: 0}, // an empty interrupt table, then an interrupt: a triple fault
}

// realMachine is one of real VirtualBox, which podium takes for one that Vagrant has made.
type realMachine struct {
	t    *testing.T
	p    *Provider
	id   string
	port int
}

// newRealMachine makes the machine n1. Where VirtualBox can start none, the test is skipped.
func newRealMachine(t *testing.T, guest string) *realMachine {
	t.Helper()
	if os.Getenv("PODIUM_REAL_VIRTUALBOX") == "" {
		t.Skip("needs a VirtualBox that starts machines: run scripts/e2e/virtualbox.sh states")
	}
	dir := t.TempDir()
	disk := filepath.Join(os.Getenv("PODIUM_REAL_VIRTUALBOX"), "boot-"+guest+".img") // where VirtualBox sees it, too
	image := make([]byte, 1440<<10)
	copy(image, bootSectors[guest])
	image[510], image[511] = 0x55, 0xaa
	must(os.WriteFile(disk, image, 0o600))
	path, err := exec.LookPath("VBoxManage")
	if err != nil {
		t.Fatal(err)
	}
	m := &realMachine{t: t, port: freePort(t)}
	m.p = New(Options{
		Provider: lab.ProviderVirtualBox, Lab: "real", Dir: filepath.Join(dir, "vagrant"), HaltDeadline: 5 * time.Second,
		Tools: Tools{VBoxManage: path, Vagrant: filepath.Join(dir, "no-vagrant")}, Log: hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Info}),
	})
	name := "real-" + guest + "-" + strconv.Itoa(m.port)
	m.manage("createvm", "--name", name, "--ostype", "Other_64", "--register")
	m.id = name
	m.id = m.info()["UUID"]
	t.Cleanup(func() {
		if err := m.p.Destroy(context.WithoutCancel(t.Context()), "n1"); err != nil {
			t.Error(err)
		}
	})
	m.manage("modifyvm", m.id, "--memory", "32", "--cpus", "1", "--nic1", "nat", "--natpf1", "ssh,tcp,127.0.0.1,"+strconv.Itoa(m.port)+",,22",
		"--audio-enabled", "off", "--hwvirtex", "off", "--paravirtprovider", "none", "--graphicscontroller", "vmsvga", "--vram", "8",
		"--boot1", "floppy", "--boot2", "none", "--boot3", "none", "--boot4", "none", "--bioslogodisplaytime", "0", "--biosbootmenu", "disabled")
	m.manage("storagectl", m.id, "--name", "Floppy", "--add", "floppy")
	m.manage("storageattach", m.id, "--storagectl", "Floppy", "--port", "0", "--device", "0", "--type", "fdd", "--medium", disk)
	must(os.MkdirAll(m.p.o.Dir, 0o700))
	must(m.p.write(filepath.Join(m.p.dataName("n1"), "id"), []byte(m.id)))
	must(m.p.remember(func(nodes map[string]nodeState) {
		nodes["n1"] = nodeState{Address: "192.168.56.11", Port: m.port, ID: m.id, Made: "as it is"}
	}))
	return m
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (m *realMachine) manage(args ...string) {
	m.t.Helper()
	if out, err := exec.CommandContext(m.t.Context(), "VBoxManage", args...).CombinedOutput(); err != nil {
		m.t.Fatalf("VBoxManage %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (m *realMachine) info() map[string]string {
	m.t.Helper()
	f, err := m.p.tools(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	info, err := f.hypervisor.(vbox).info(m.t.Context(), m.id)
	if err != nil {
		m.t.Fatal(err)
	}
	return info
}

// is checks what VirtualBox and podium say.
func (m *realMachine) is(word string, state machine.State) {
	m.t.Helper()
	for range 200 { // a crash takes as long as the BIOS
		if m.info()["VMState"] == word {
			break
		}
		must(pause(m.t.Context(), 200*time.Millisecond))
	}
	all, err := m.p.Status(m.t.Context())
	if got := m.info()["VMState"]; err != nil || got != word || all["n1"] != state {
		m.t.Fatalf("VirtualBox says %q, want %q; podium %q, want %q; %v", got, word, all["n1"], state, err)
	}
}

// ok fails the test by an error.
func (m *realMachine) ok(what string, err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
}

func (m *realMachine) up() {
	m.t.Helper()
	_, err := m.p.Up(m.t.Context(), "n1")
	m.ok("up", err)
}

// TestRealStates leads a machine through the states of real VirtualBox, each step right after the one before: most of
// VirtualBox's refusals come in the second in which it is not quite done.
func TestRealStates(t *testing.T) {
	m := newRealMachine(t, "idle")
	ctx := t.Context()
	m.is("poweroff", machine.Stopped)
	m.up()
	m.is("running", machine.Running)
	m.up() // runs already
	m.manage("controlvm", m.id, "pause")
	m.is("paused", machine.Running)
	m.up()
	m.is("running", machine.Running)

	m.ok("halt", m.p.Halt(ctx, "n1")) // its guest does not know the button
	m.ok("snapshot", m.p.Snapshot(ctx, "n1", "ready"))
	m.up()
	m.ok("switch off", m.p.PowerOff(ctx, "n1"))
	m.ok("restore", m.p.Restore(ctx, "n1", "ready"))
	m.up()
	m.is("running", machine.Running)

	m.manage("controlvm", m.id, "savestate")
	m.is("saved", machine.Stopped)
	m.ok("halt of a saved one", m.p.Halt(ctx, "n1"))
	m.up()
	m.is("running", machine.Running)

	out, err := exec.CommandContext(ctx, "pgrep", "-f", "VirtualBoxVM --startvm "+m.id).Output()
	m.ok("find its process", err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	m.ok("its process", err)
	process, err := os.FindProcess(pid)
	m.ok("its process", errors.Join(err, process.Kill()))
	m.is("aborted", machine.Stopped)
	m.ok("switch off an aborted one", m.p.PowerOff(ctx, "n1"))
	m.ok("restore of an aborted one", m.p.Restore(ctx, "n1", "ready"))
	m.ok("delete the snapshot", m.p.DeleteSnapshot(ctx, "n1", "ready"))
	m.up()
	m.is("running", machine.Running)
	m.ok("destroy", m.p.Destroy(ctx, "n1"))
}

// TestRealCrash is what VirtualBox calls a guru meditation.
func TestRealCrash(t *testing.T) {
	m := newRealMachine(t, "crashes")
	m.up()
	m.is("gurumeditation", machine.Crashed)
	m.ok("halt", m.p.Halt(t.Context(), "n1"))
	m.is("poweroff", machine.Stopped)
	m.up()
	m.is("gurumeditation", machine.Crashed)
	m.up() // switched off, and booted again
	m.is("gurumeditation", machine.Crashed)
	m.ok("switch off", m.p.PowerOff(t.Context(), "n1"))
	m.ok("snapshot", m.p.Snapshot(t.Context(), "n1", "ready"))
	m.up()
	m.is("gurumeditation", machine.Crashed)
	m.ok("destroy", m.p.Destroy(t.Context(), "n1"))
}

// TestRealPortTaken: real VirtualBox starts a machine without the port that another program has.
func TestRealPortTaken(t *testing.T) {
	m := newRealMachine(t, "idle")
	l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(m.port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	at, err := m.p.Up(t.Context(), "n1")
	m.ok("up", err)
	rules := forwardings(m.info())
	if at.Port == m.port || len(rules) != 1 || rules[0].port != at.Port {
		t.Errorf("taken is port %d; podium uses %d, and VirtualBox has %+v", m.port, at.Port, rules)
	}
	if portFree(t.Context(), at.Port) {
		t.Errorf("VirtualBox does not listen on port %d", at.Port)
	}
}

// TestRealServiceEnds: VirtualBox's service ends 5 seconds after its last client, and those who come just then are refused.
func TestRealServiceEnds(t *testing.T) {
	m := newRealMachine(t, "idle")
	for i := range 8 {
		must(pause(t.Context(), 4900*time.Millisecond+time.Duration(i)*50*time.Millisecond))
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				if all, err := m.p.Status(t.Context()); err != nil || all["n1"] != machine.Stopped {
					t.Errorf("round %d: %v, %v", i, all, err)
				}
			})
		}
		wait.Wait()
	}
}
