package vagrant

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"podium/provision/machine"
)

// recorded gives the answers of real VirtualBox in testdata/vbox-answers.txt: their meanings and words, by title.
func recorded(t *testing.T) map[string]struct {
	means meaning
	words string
} {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "vbox-answers.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]struct {
		means meaning
		words string
	}{}
	for _, file := range archive.Files {
		means, title, ok := strings.Cut(file.Name, ": ")
		if !ok {
			t.Fatalf("%q: want MEANING: TITLE", file.Name)
		}
		all[title] = struct {
			means meaning
			words string
		}{meaning(means), string(file.Data)}
	}
	return all
}

func TestMeaningOfRealAnswers(t *testing.T) {
	seen := map[meaning]int{}
	for title, answer := range recorded(t) {
		t.Run(title, func(t *testing.T) {
			if got := meaningOf(answer.words); got != answer.means {
				t.Errorf("means %q, want %q:\n%s", got, answer.means, answer.words)
			}
			seen[answer.means]++
		})
	}
	for _, means := range []meaning{meansAskAgain, meansAlreadyOff, meansNotFound, meansNoSnapshots, meansFailure} {
		if seen[means] == 0 {
			t.Errorf("no recorded answer means %q", means)
		}
	}
}

// TestAnswersThatPass gives each passing answer once to every call of a machine's life: nothing may fail by it.
func TestAnswersThatPass(t *testing.T) {
	for title, answer := range recorded(t) {
		if answer.means != meansAskAgain {
			continue
		}
		t.Run(title, func(t *testing.T) {
			f := newFixture(t)
			p := f.prepared()
			f.up(p, "cp")
			once := func(call string) {
				t.Helper()
				f.rules(rule{Match: call, Times: 1, Code: 1, Stderr: answer.words})
			}
			for _, do := range []struct {
				call string
				err  func() error
			}{
				{"list", func() error { _, err := p.Status(t.Context()); return err }},
				{"acpipowerbutton", func() error { return p.Halt(t.Context(), "cp") }},
				{"snapshot .* list", func() error { return p.Snapshot(t.Context(), "cp", "ready") }},
				{"snapshot .* take", func() error { return p.Snapshot(t.Context(), "cp", "ready") }},
				{"snapshot .* restore", func() error { return p.Restore(t.Context(), "cp", "ready") }},
				{"startvm", func() error { _, err := p.Up(t.Context(), "cp"); return err }},
				{"poweroff", func() error { return p.PowerOff(t.Context(), "cp") }},
				{"showvminfo", func() error { _, err := p.Up(t.Context(), "cp"); return err }},
				{"snapshot .* delete", func() error { return p.DeleteSnapshot(t.Context(), "cp", "ready") }},
			} {
				once(do.call)
				f.calls()
				if err := do.err(); err != nil {
					t.Fatalf("%s: %v", do.call, err)
				}
				if calls := f.calls(); count(calls, "up") > 0 {
					t.Errorf("%s: left to Vagrant: %q", do.call, calls)
				}
			}
			once("unregistervm")
			for id := range f.host.labs() {
				if err := p.RemoveOrphans(t.Context(), map[string]string{"lab-cp": id}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestMachineThatStaysLocked(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	f.up(p, "cp")
	f.rules(rule{Match: "snapshot .* list", Code: 1, Stderr: "VBoxManage: error: The machine 'lab-cp' is already locked by a session (or being locked or unlocked)\n"})
	err := p.Snapshot(t.Context(), "cp", "ready")
	if err == nil || !contains(err.Error(), "still holds the machine after 1s", "fix: ") {
		t.Errorf("got %v", err)
	}
}

func TestPowerOffOfWhatIsOff(t *testing.T) {
	for title, answer := range recorded(t) {
		if answer.means != meansAlreadyOff {
			continue
		}
		t.Run(title, func(t *testing.T) {
			f := newFixture(t)
			p := f.prepared()
			f.up(p, "cp")
			for _, vm := range f.host.labs() { // it goes off by itself while it is asked
				vm.Becomes, vm.Looks = "poweroff", 2
			}
			f.rules(rule{Match: "acpipowerbutton|poweroff", Code: 1, Stderr: answer.words})
			if err := p.Halt(t.Context(), "cp"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseMachines(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "vbox-list-long.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]vm{
		"d4aca410-9bb6-4071-8ee2-ff987eff881f": {name: "vm1", state: machine.Stopped, condition: "powered off"},
	}
	if diff := cmp.Diff(want, parseMachines(string(text)), cmp.AllowUnexported(vm{})); diff != "" {
		t.Error(diff)
	}
}

// TestConditions has a machine that podium knows in every state that VirtualBox can leave it in.
func TestConditions(t *testing.T) {
	for _, test := range []struct {
		state, becomes string
		status         machine.State
	}{
		{state: "running", status: machine.Running},
		{state: "paused", status: machine.Running},
		{state: "poweroff", status: machine.Stopped},
		{state: "aborted", status: machine.Stopped},
		{state: "saved", status: machine.Stopped},
		{state: "gurumeditation", status: machine.Crashed},
		{state: "starting", becomes: "running", status: machine.Unknown},
		{state: "restoring", becomes: "running", status: machine.Unknown},
		{state: "stopping", becomes: "poweroff", status: machine.Unknown},
		{state: "saving", becomes: "saved", status: machine.Unknown},
		{state: "stopping", becomes: "gurumeditation", status: machine.Unknown},
	} {
		for name, do := range map[string]struct {
			act  func(*Provider) error
			want machine.State
		}{
			"up":       {func(p *Provider) error { _, err := p.Up(t.Context(), "cp"); return err }, machine.Running},
			"halt":     {func(p *Provider) error { return p.Halt(t.Context(), "cp") }, machine.Stopped},
			"poweroff": {func(p *Provider) error { return p.PowerOff(t.Context(), "cp") }, machine.Stopped},
			"destroy":  {func(p *Provider) error { return p.Destroy(t.Context(), "cp") }, ""},
		} {
			t.Run(strings.TrimSpace(name+" "+test.state+" "+test.becomes), func(t *testing.T) {
				f := newFixture(t)
				f.up(f.prepared(), "cp")
				for _, vm := range f.host.labs() {
					vm.State = test.state
				}
				p := f.provider()
				if is := f.states(p)["cp"]; is != test.status {
					t.Errorf("status says %q, want %q", is, test.status)
				}
				if test.becomes != "" {
					for _, vm := range f.host.labs() {
						vm.Becomes, vm.Looks = test.becomes, 2
					}
				}
				f.calls()
				if err := do.act(p); err != nil {
					t.Fatal(err)
				}
				if is := f.states(p)["cp"]; is != do.want {
					t.Errorf("afterwards it is %q, want %q", is, do.want)
				}
				if calls := f.calls(); name == "up" && count(calls, "up") > 0 {
					t.Errorf("left to Vagrant: %q", calls)
				}
			})
		}
	}
}

// TestPortsOfAStartWithoutPrepare: reset and snapshot restore start machines without a look at lab.yaml.
func TestPortsOfAStartWithoutPrepare(t *testing.T) {
	halted := func(t *testing.T, rules ...string) (*fixture, nodeState) {
		t.Helper()
		f := newFixture(t)
		p := f.prepared()
		f.up(p, "cp")
		known, err := p.recall("cp")
		if err := errors.Join(err, p.Halt(t.Context(), "cp")); err != nil {
			t.Fatal(err)
		}
		for _, vm := range f.host.labs() {
			for i, r := range rules {
				vm.Settings["Forwarding("+string(rune('0'+i))+")"] = strings.ReplaceAll(r, "PORT", strconv.Itoa(known.Port))
			}
		}
		return f, known
	}
	listen := func(t *testing.T, port int) {
		t.Helper()
		l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
	t.Run("its own", func(t *testing.T) {
		f, known := halted(t, "ssh,tcp,127.0.0.1,PORT,,22")
		f.calls()
		at, err := f.provider().Up(t.Context(), "cp")
		if calls := f.calls(); err != nil || at.Port != known.Port || count(calls, "modifyvm") > 0 {
			t.Errorf("%+v, %v, %q", at, err, calls)
		}
	})
	t.Run("of sshd is taken", func(t *testing.T) {
		f, known := halted(t, "ssh,tcp,127.0.0.1,PORT,,22")
		listen(t, known.Port)
		f.calls()
		at, err := f.provider().Up(t.Context(), "cp")
		calls := f.calls()
		if err != nil || at.Port == known.Port || count(calls, "up") > 0 ||
			!contains(strings.Join(calls, "\n"), "--natpf1 delete ssh --natpf1 ssh,tcp,127.0.0.1,"+strconv.Itoa(at.Port)+",,22") {
			t.Errorf("%+v, %v, %q", at, err, calls)
		}
		if again, err := f.provider().recall("cp"); err != nil || again.Port != at.Port {
			t.Errorf("remembered is port %d, want %d, %v", again.Port, at.Port, err)
		}
		if err := f.prepared().Halt(t.Context(), "cp"); err != nil {
			t.Fatal(err)
		}
		f.up(f.prepared(), "cp")
		if calls := f.calls(); count(calls, "up") > 0 {
			t.Errorf("a port that has moved is Vagrant's work: %q", calls)
		}
	})
	t.Run("of a snapshot is an old one", func(t *testing.T) {
		f, known := halted(t, "ssh,tcp,127.0.0.1,21999,,22")
		at, err := f.provider().Up(t.Context(), "cp")
		if err != nil || at.Port != known.Port || !contains(strings.Join(f.calls(), "\n"), "--natpf1 ssh,tcp,127.0.0.1,"+strconv.Itoa(known.Port)+",,22") {
			t.Errorf("%+v, %v", at, err)
		}
	})
	t.Run("of the lab's own is taken", func(t *testing.T) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		port := l.Addr().(*net.TCPAddr).Port
		f, _ := halted(t, "ssh,tcp,127.0.0.1,PORT,,22", "port-1,tcp,127.0.0.1,"+strconv.Itoa(port)+",,80")
		f.calls()
		_, err = f.provider().Up(t.Context(), "cp")
		if !errors.Is(err, ErrPortTaken) || !contains(err.Error(), strconv.Itoa(port), "forward:") || count(f.calls(), "startvm") > 0 {
			t.Errorf("got %v", err)
		}
	})
}
