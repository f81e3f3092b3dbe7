package vagrant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"podium/provision/lab"
	"podium/provision/machine"
)

func TestLifeOfALab(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	f.dials.accepts["cp"] = "vagrant's own"
	at, err := p.Up(t.Context(), "cp")
	if err != nil {
		t.Fatal(err)
	}
	if at.Host != "127.0.0.1" || at.Port < firstPort || at.Port > lastPort || at.User != "vagrant" || at.KeyFile != "" {
		t.Errorf("endpoint %+v", at)
	}
	if len(f.dials.ran) != 1 || !slices.Contains(f.dials.ran[0].Args, "ssh-ed25519 AAAA podium") {
		t.Errorf("the lab's key was not installed by Vagrant's: %+v", f.dials.ran)
	}
	f.up(p, "w1", "w2")
	running := map[string]machine.State{"cp": machine.Running, "w1": machine.Running, "w2": machine.Running}
	if diff := cmp.Diff(running, f.states(p)); diff != "" {
		t.Fatal(diff)
	}

	f.calls()
	p = f.provider() // another command, without Prepare
	f.states(p)
	if calls := f.calls(); len(calls) != 1 {
		t.Errorf("status of three machines took %d calls, want 1: %q", len(calls), calls)
	}
	for _, name := range []string{"cp", "w1", "w2"} {
		if err := errors.Join(p.Halt(t.Context(), name), p.Halt(t.Context(), name), p.Snapshot(t.Context(), name, "ready")); err != nil {
			t.Fatal(err)
		}
	}
	p = f.prepared()
	f.calls()
	again, err := p.Up(t.Context(), "cp")
	if err != nil || again.Port != at.Port {
		t.Errorf("port %d became %d, %v", at.Port, again.Port, err)
	}
	for _, call := range f.calls() {
		if strings.HasPrefix(call, "up ") {
			t.Errorf("a known machine was started by Vagrant: %s", call)
		}
	}
	p = f.provider() // reset needs no description
	if err := errors.Join(p.Halt(t.Context(), "cp"), p.Restore(t.Context(), "cp", "ready")); err != nil {
		t.Error(err)
	}
	if err := errors.Join(p.PowerOff(t.Context(), "cp"), p.PowerOff(t.Context(), "nobody")); err != nil {
		t.Error(err)
	}
	if back, err := p.Up(t.Context(), "cp"); err != nil || !reflect.DeepEqual(back, at) {
		t.Errorf("after a restore: %+v, %v, want %+v", back, err, at)
	}
	if err := p.Halt(t.Context(), "cp"); err != nil {
		t.Error(err)
	}
	if err := p.Restore(t.Context(), "cp", "other"); !errors.Is(err, machine.ErrNoSnapshot) {
		t.Errorf("restore of an unknown tag: %v", err)
	}
	if err := errors.Join(p.DeleteSnapshot(t.Context(), "cp", "ready"), p.DeleteSnapshot(t.Context(), "cp", "ready")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"cp", "w1", "w2"} {
		if err := errors.Join(p.Destroy(t.Context(), name), p.Destroy(t.Context(), name), p.Halt(t.Context(), name)); err != nil {
			t.Error(err)
		}
	}
	if left := f.host.labs(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := p.Restore(t.Context(), "cp", "ready"); !errors.Is(err, machine.ErrNotFound) {
		t.Errorf("restore of a missing machine: %v", err)
	}
	if err := p.Cleanup(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(f.lab); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestSnapshotReplaces(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	f.up(p, "cp")
	for range 3 {
		if err := p.Snapshot(t.Context(), "cp", "ready"); err != nil {
			t.Fatal(err)
		}
	}
	for _, vm := range f.host.VMs {
		if len(vm.Snapshots) != 1 {
			t.Errorf("%d snapshots of one tag", len(vm.Snapshots))
		}
	}
}

// TestBootFailsAtEachStage fails a boot after every stage, then boots again: the machine must be whole, and there once.
func TestBootFailsAtEachStage(t *testing.T) {
	for _, stage := range upStages {
		t.Run(stage, func(t *testing.T) {
			f := newFixture(t, rule{Match: "^up cp", Times: 1, Stage: stage, Code: 1,
				Stdout: "1,,error-exit,Vagrant::Errors::VMBootTimeout,Timed out%!(VAGRANT_COMMA) sorry\n"})
			p := f.prepared()
			_, err := p.Up(t.Context(), "cp")
			var failed *CommandError
			if !errors.As(err, &failed) || failed.Node != "cp" || failed.Class != "Vagrant::Errors::VMBootTimeout" || !contains(err.Error(), "Timed out, sorry", "fix: ") {
				t.Fatalf("got %v", err)
			}
			p = f.prepared() // podium is called again
			f.up(p, "cp")
			made := f.host.labs()
			if len(made) != 1 {
				t.Fatalf("%d machines", len(made))
			}
			for _, vm := range made {
				if vm.Name != "lab-cp" || vm.State != "running" {
					t.Errorf("%+v", vm)
				}
			}
			if _, err := os.Stat(filepath.Join(f.lab, ".vagrant", "machines", "cp", "virtualbox", "private_key")); err != nil {
				t.Errorf("the boot did not come to its end: %v", err)
			}
		})
	}
}

// TestHalfMadeIsDestroyed is the same, but the teacher gives up.
func TestHalfMadeIsDestroyed(t *testing.T) {
	for _, stage := range upStages {
		t.Run(stage, func(t *testing.T) {
			f := newFixture(t, rule{Match: "^up cp", Times: 1, Stage: stage, Code: 1})
			p := f.prepared()
			if _, err := p.Up(t.Context(), "cp"); err == nil {
				t.Fatal("no error")
			}
			p = f.provider()
			if err := p.Destroy(t.Context(), "cp"); err != nil {
				t.Fatal(err)
			}
			if n := len(f.host.labs()); n != 0 {
				t.Errorf("%d machines are left", n)
			}
		})
	}
}

func TestBusyMachineIsAskedAgain(t *testing.T) {
	notReady := "VBoxManage: error: The object is not ready\nVBoxManage: error: Details: code E_ACCESSDENIED (0x80070005), component SessionMachine\n"
	f := newFixture(t)
	p := f.prepared()
	f.up(p, "cp")
	f.rules(rule{Match: "list --long vms", Times: 2, Stderr: notReady, Code: 1})
	if s := f.states(p); s["cp"] != machine.Running {
		t.Errorf("%v", s)
	}
	f.rules(rule{Match: "acpipowerbutton", Times: 1, Code: 1,
		Stderr: "VBoxManage: error: The machine 'lab-cp' already has a lock request pending\n"})
	if err := p.Halt(t.Context(), "cp"); err != nil {
		t.Error(err)
	}
	f.rules(rule{Match: "snapshot .* take", Code: 1, Stderr: "VBoxManage: error: out of luck\n"})
	f.calls()
	if err := p.Snapshot(t.Context(), "cp", "x"); err == nil || !contains(err.Error(), "out of luck") {
		t.Errorf("got %v", err)
	}
	takes := 0
	for _, c := range f.calls() {
		if contains(c, " take x") {
			takes++
		}
	}
	if takes != 1 {
		t.Errorf("a failure that is not a busy machine was tried %d times", takes)
	}
}

func TestChangesBehindPodiumsBack(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	f.up(p, "cp", "w1", "w2")
	byName := func(name string, change func(h *fakeHost, id string)) {
		for id, vm := range f.host.VMs {
			if vm.Name == name {
				change(f.host, id)
			}
		}
	}
	byName("lab-cp", func(h *fakeHost, id string) { h.VMs[id].State = "poweroff" })
	byName("lab-w1", func(h *fakeHost, id string) { delete(h.VMs, id) })
	byName("lab-w2", func(h *fakeHost, id string) { h.VMs[id].Name = "renamed" })
	want := map[string]machine.State{"cp": machine.Stopped, "w2": machine.Running}
	if diff := cmp.Diff(want, f.states(f.provider())); diff != "" {
		t.Error(diff)
	}
	f.up(f.prepared(), "cp", "w1", "w2")
	want = map[string]machine.State{"cp": machine.Running, "w1": machine.Running, "w2": machine.Running}
	if diff := cmp.Diff(want, f.states(f.provider())); diff != "" {
		t.Error(diff)
	}
	byName("lab-cp", func(h *fakeHost, id string) { h.VMs[id].State = "paused" })
	f.up(f.prepared(), "cp")
	byName("lab-cp", func(h *fakeHost, id string) {
		if h.VMs[id].State != "running" {
			t.Errorf("a paused machine is %s after up", h.VMs[id].State)
		}
	})
}

func TestOrphans(t *testing.T) {
	f := newFixture(t)
	f.up(f.prepared(), "cp", "w1")
	if err := os.RemoveAll(filepath.Join(f.lab, ".vagrant")); err != nil {
		t.Fatal(err)
	}
	p := f.prepared()
	_, err := p.Up(t.Context(), "cp")
	if !errors.Is(err, ErrOrphan) || !contains(err.Error(), "lab-cp", "--orphans") {
		t.Fatalf("got %v", err)
	}
	if n := len(f.host.labs()); n != 2 {
		t.Fatalf("%d machines: something was removed or made unasked", n)
	}
	orphans, err := p.Orphans(t.Context(), []string{"cp", "w1", "w2"})
	if err != nil || len(orphans) != 2 {
		t.Fatalf("%v, %v", orphans, err)
	}
	if err := p.RemoveOrphans(t.Context(), orphans); err != nil {
		t.Fatal(err)
	}
	f.up(f.prepared(), "cp", "w1", "w2")
}

func TestPortStaysAndMoves(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	f.up(p, "cp")
	before, err := p.recall("cp")
	if err != nil {
		t.Fatal(err)
	}
	w1, err := p.recall("w1")
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []int{before.Port, w1.Port} { // cp holds its own, w1's is a stranger's
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
	}
	p = f.prepared()
	cp, err := p.recall("cp")
	if err != nil || cp.Port != before.Port {
		t.Errorf("the running machine's port %d became %d, %v", before.Port, cp.Port, err)
	}
	if moved, err := p.recall("w1"); err != nil || moved.Port == w1.Port || moved.Port == cp.Port {
		t.Errorf("w1 still has %d, %v", moved.Port, err)
	}
}

func TestNewSizesGoThroughVagrant(t *testing.T) {
	f := newFixture(t)
	f.up(f.prepared(), "cp")
	f.spec.Machines[0].Memory = 2 * lab.GiB
	p := f.prepared()
	f.calls()
	f.up(p, "cp")
	if calls := strings.Join(f.calls(), "\n"); contains(calls, "up cp") || !contains(strings.Join(f.said, "\n"), "halt it") {
		t.Errorf("a running machine was touched, or nothing was said:\n%s\n%s", calls, f.said)
	}
	if err := p.Halt(t.Context(), "cp"); err != nil {
		t.Fatal(err)
	}
	f.up(p, "cp")
	if calls := strings.Join(f.calls(), "\n"); !contains(calls, "up cp") {
		t.Errorf("the new size was not applied:\n%s", calls)
	}
}

func TestStartFallsBackToVagrant(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	f.up(p, "cp")
	if err := p.Halt(t.Context(), "cp"); err != nil {
		t.Fatal(err)
	}
	f.rules(rule{Match: "^startvm", Code: 1, Stderr: "VBoxManage: error: Nonexistent host networking interface, name 'vboxnet0' (VERR_INTERNAL_ERROR)\n"})
	f.up(p, "cp")
	if s := f.states(p); s["cp"] != machine.Running {
		t.Error(s)
	}
}

// hanging runs this test program, which then does nothing for a minute.
func hanging(t *testing.T) program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return program{name: "VBoxManage", path: self, env: []string{"PODIUM_PLAY=hang"}, log: hclog.NewNullLogger()}
}

func TestHangingProgramIsEnded(t *testing.T) {
	_, err := hanging(t).run(t.Context(), 200*time.Millisecond, "list", "vms")
	if !errors.Is(err, context.DeadlineExceeded) || !contains(err.Error(), "VBoxManage list vms", "did not end within 200ms", "fix: ") {
		t.Errorf("got %v", err)
	}
}

func TestCancelledProgramIsEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	_, err := hanging(t).run(ctx, time.Minute)
	if !errors.Is(err, context.Canceled) || contains(err.Error(), "fix: ") {
		t.Errorf("got %v", err)
	}
}

// TestWorkerIsEnded: on Windows vagrant.exe only starts ruby.exe, which must not go on when vagrant.exe was ended.
func TestWorkerIsEnded(t *testing.T) {
	p := hanging(t)
	file := filepath.Join(t.TempDir(), "address")
	p.env = []string{"PODIUM_PLAY=launcher", "PODIUM_PLAY_FILE=" + file}
	ctx, cancel := context.WithCancel(t.Context())
	var address string
	go func() {
		defer cancel()
		for i := 0; i < 600 && address == ""; i++ {
			time.Sleep(100 * time.Millisecond)
			text, _ := os.ReadFile(file) // there once the worker works
			address = string(text)
		}
	}()
	if _, err := p.run(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if address == "" {
		t.Fatal("the worker did not start")
	}
	for range 100 { // the system ends it meanwhile
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_ = conn.Close()
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the worker runs on")
}

func TestProgramThatIsNotThere(t *testing.T) {
	p := program{name: "VBoxManage", path: filepath.Join(t.TempDir(), "none"), log: hclog.NewNullLogger()}
	_, err := p.run(t.Context(), time.Minute, "list")
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, exec.ErrNotFound) { // Windows looks for none.exe and the like
		t.Errorf("got %v", err)
	}
}

func TestGuestThatIgnoresItsPowerButton(t *testing.T) {
	f := newFixture(t)
	p := f.prepared(func(o *Options) { o.HaltDeadline = 200 * time.Millisecond })
	f.up(p, "cp")
	f.rules(rule{Match: "acpipowerbutton"})
	if err := p.Halt(t.Context(), "cp"); err != nil {
		t.Fatal(err)
	}
	if s := f.states(p); s["cp"] != machine.Stopped || !contains(strings.Join(f.said, "\n"), "switching it off") {
		t.Errorf("%v %q", s, f.said)
	}
}

func TestMissingTools(t *testing.T) {
	f := newFixture(t)
	t.Setenv("PATH", t.TempDir())
	if paths := VirtualBoxFolders(os.Getenv); slices.ContainsFunc(paths, func(dir string) bool { _, err := os.Stat(filepath.Join(dir, "VBoxManage")); return err == nil }) {
		t.Skip("skipped: VirtualBox is installed here")
	}
	p := f.provider(func(o *Options) { o.Tools = Tools{} })
	if err := p.Prepare(t.Context(), f.spec); !errors.Is(err, ErrNoTool) || !contains(err.Error(), "VBoxManage", "podium doctor") {
		t.Errorf("got %v", err)
	}
}

func TestBoxThatCannotBeDownloaded(t *testing.T) {
	f := newFixture(t, rule{Match: "^box add", Times: 1, Code: 1, Stdout: "1,,error-exit,Vagrant::Errors::DownloaderError,Could not resolve host: vagrantcloud.com\n"})
	p := f.provider()
	err := p.Prepare(t.Context(), f.spec)
	if err == nil || !contains(err.Error(), "a/b", "could not be downloaded", "Could not resolve host", "vagrant box add") {
		t.Errorf("got %v", err)
	}
	if len(f.host.VMs) != 0 {
		t.Error("a machine was made all the same")
	}
	f.up(f.prepared(), "cp")
}

func TestTakenPortIsNotWaitedFor(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := l.Addr().(*net.TCPAddr).Port
	collision := rule{Match: "^up cp", Times: 1, Code: 1, Stdout: "1,,error-exit,Vagrant::Errors::ForwardPortCollision,Vagrant cannot forward the specified ports\n"}
	f := newFixture(t, collision)
	f.spec.Machines[0].Forward = []lab.Forward{{Host: taken, Guest: 80}}
	if _, err := f.prepared().Up(t.Context(), "cp"); err == nil || !contains(err.Error(), "is taken", "forward:") {
		t.Errorf("got %v", err)
	}
	f = newFixture(t, collision) // a lease that a killed Vagrant has left
	f.up(f.prepared(), "cp")
}

func TestAnotherVagrantIsWaitedFor(t *testing.T) {
	f := newFixture(t, rule{Match: "^up cp", Times: 1, Code: 1,
		Stdout: "1,,error-exit,Vagrant::Errors::MachineActionLockedError,An action 'up' was attempted on the machine 'cp'\\,\\nbut another process is already executing an action\n"})
	f.up(f.prepared(), "cp")
	if !contains(strings.Join(f.said, "\n"), "another Vagrant works on this machine") {
		t.Errorf("%q", f.said)
	}
}

func TestStumblingBootIsTriedOnce(t *testing.T) {
	says := "1,,error-exit,Vagrant::Errors::VagrantError,The following SSH command responded with a non-zero exit status.\n"
	f := newFixture(t, rule{Match: "^up cp", Times: 1, Stage: "start", Code: 1, Stdout: says})
	f.up(f.prepared(), "cp")
	if _, err := os.Stat(filepath.Join(f.lab, ".vagrant", "machines", "cp", "virtualbox", "private_key")); err != nil {
		t.Errorf("the second boot did not come to its end: %v", err)
	}
	f.rules(rule{Match: "^up w1", Stage: "start", Code: 1, Stdout: says})
	if _, err := f.prepared(func(o *Options) { o.FastBoot = false }).Up(t.Context(), "w1"); err == nil {
		t.Error("a boot that stumbles twice is no success")
	}
	calls := strings.Join(f.calls(), "\n")
	if n := strings.Count(calls, "up cp "); n != 2 {
		t.Errorf("cp was booted %d times", n)
	}
	if n := strings.Count(calls, "up w1 "); n != 2 {
		t.Errorf("w1 was booted %d times", n)
	}
}

// TestFirstBootGoesAlone watches when boots begin: none beside the first before that one has made what all share, all
// at once afterwards, but never more than there are slots.
func TestFirstBootGoesAlone(t *testing.T) {
	f := newFixture(t)
	var mu sync.Mutex
	active, most, shared := 0, 0, false
	var early []string
	watch := func(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error) {
		if args[0] != "up" {
			return f.host.exec(ctx, stdout, stderr, args...)
		}
		mu.Lock()
		active++
		most = max(most, active)
		if active > 1 && !shared {
			early = append(early, args[1])
		}
		first := !shared
		mu.Unlock()
		time.Sleep(50 * time.Millisecond) // the import, where others would be in the way
		mu.Lock()
		shared = shared || first
		mu.Unlock()
		code, err := f.host.exec(ctx, stdout, stderr, args...) // says "Booting VM"
		time.Sleep(100 * time.Millisecond)                     // its own boot
		mu.Lock()
		active--
		mu.Unlock()
		return code, err
	}
	for i := range 3 {
		m := f.spec.Machines[0]
		m.Name, m.Address = fmt.Sprintf("x%d", i), netip.AddrFrom4([4]byte{192, 168, 56, byte(50 + i)})
		f.spec.Machines = append(f.spec.Machines, m)
	}
	p := f.prepared(func(o *Options) { o.BootParallel, o.FastBoot, o.exec = 3, false, watch })
	var wait sync.WaitGroup
	for _, m := range f.spec.Machines {
		wait.Go(func() {
			if _, err := p.Up(t.Context(), m.Name); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if len(early) > 0 {
		t.Errorf("%q began while the first boot was still making what all share", early)
	}
	if most != 3 {
		t.Errorf("%d boots ran at once, want 3", most)
	}
	if n := len(f.host.labs()); n != 6 {
		t.Errorf("%d machines", n)
	}
}

func TestFailedLeaderHandsOver(t *testing.T) {
	f := newFixture(t, rule{Match: "^up cp", Code: 1})
	p := f.prepared()
	if _, err := p.Up(t.Context(), "cp"); err == nil {
		t.Fatal("no error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := p.Up(ctx, "w1"); err != nil {
		t.Errorf("w1 waits for a leader that has failed: %v", err)
	}
}

func TestGarbageInMemory(t *testing.T) {
	f := newFixture(t)
	f.prepared()
	must(os.WriteFile(filepath.Join(f.lab, memoryName), []byte("{"), 0o600))
	if err := f.provider().Prepare(t.Context(), f.spec); err == nil || !contains(err.Error(), memoryName, "remove the file") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownNode(t *testing.T) {
	if _, err := newFixture(t).prepared().Up(t.Context(), "nobody"); !errors.Is(err, machine.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
