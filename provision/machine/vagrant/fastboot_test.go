package vagrant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"podium/provision/remote"
	"podium/templates"
)

// upTogether boots machines at once, as the engine does, and gives their errors.
func (f *fixture) upTogether(p *Provider, names ...string) map[string]error {
	var mu sync.Mutex
	errs := map[string]error{}
	var wait sync.WaitGroup
	for _, name := range names {
		wait.Go(func() {
			_, err := p.Up(f.t.Context(), name)
			mu.Lock()
			defer mu.Unlock()
			errs[name] = err
		})
	}
	wait.Wait()
	return errs
}

// count is how many calls begin with the words.
func count(calls []string, words string) int {
	n := 0
	for _, c := range calls {
		if strings.HasPrefix(c, words+" ") {
			n++
		}
	}
	return n
}

// whole checks that each node has one machine, which runs.
func (f *fixture) whole(names ...string) {
	f.t.Helper()
	var found []string
	for _, vm := range f.host.labs() {
		found = append(found, vm.Name+" "+vm.State)
	}
	slices.Sort(found)
	var want []string
	for _, name := range names {
		want = append(want, "lab-"+name+" running")
	}
	if diff := cmp.Diff(want, found); diff != "" {
		f.t.Error(diff)
	}
}

func TestFastBoot(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	f.up(p, "cp")
	for name, err := range f.upTogether(p, "w1", "w2") {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	w1, err := p.recall("w1")
	if err != nil {
		t.Fatal(err)
	}
	calls := f.calls()
	if count(calls, "up") != 1 || count(calls, "clonevm") != 2 {
		t.Fatalf("want one machine by Vagrant and two after it:\n%s", strings.Join(calls, "\n"))
	}
	f.whole("cp", "w1", "w2")
	for _, vm := range f.host.labs() {
		if vm.asked > 0 {
			t.Errorf("%s was asked for its hardware while VirtualBox started it: VirtualBox refuses to start it then", vm.Name)
		}
	}

	t.Run("the calls that vboxmanage-compare.sh gives to the real VBoxManage", func(t *testing.T) {
		var made strings.Builder
		for _, c := range calls {
			words := strings.Fields(c)
			if words[0] != "clonevm" && words[0] != "modifyvm" || !contains(c, "lab-w1") && !contains(c, fmt.Sprintf(",%d,", w1.Port)) {
				continue
			}
			if words[0] == "clonevm" {
				words[len(words)-1] = "$ID"
			}
			words[1] = map[string]string{"clonevm": "$MASTER", "modifyvm": "$ID"}[words[0]]
			made.WriteString(strings.ReplaceAll(strings.Join(words, " "), strconv.Itoa(w1.Port), "$PORT") + "\n")
		}
		golden := filepath.Join("testdata", "fastboot-calls.txt")
		if *update {
			must(os.WriteFile(golden, []byte(made.String()), 0o644))
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), made.String()); diff != "" {
			t.Errorf("%s differs; if it should, run go test ./provision/machine/vagrant -update: %s", golden, diff)
		}
	})
	t.Run("the same hardware", func(t *testing.T) {
		byName := map[string]map[string]string{}
		for _, vm := range f.host.labs() {
			byName[vm.Name] = vm.Settings
		}
		for _, name := range []string{"lab-w1", "lab-w2"} {
			want, got := maps.Clone(byName["lab-cp"]), maps.Clone(byName[name])
			for _, own := range []string{"Forwarding(0)", "SATA Controller-0-0"} {
				delete(want, own)
				delete(got, own)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
	t.Run("what Vagrant keeps", func(t *testing.T) {
		names := func(node string) (all []string) {
			entries, err := os.ReadDir(p.dataDir(node))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				all = append(all, e.Name())
			}
			return all
		}
		if diff := cmp.Diff(names("cp"), names("w1")); diff != "" {
			t.Error(diff)
		}
		index, err := readIndex(indexPath(f.host.home))
		if err != nil {
			t.Fatal(err)
		}
		if len(index.Machines) != 3 {
			t.Errorf("%d machines in Vagrant's index", len(index.Machines))
		}
		id, err := os.ReadFile(filepath.Join(p.dataDir("w1"), "index_uuid"))
		if err != nil || !contains(string(index.Machines[string(id)]), `"name":"w1"`, `"name":"a/b"`) {
			t.Errorf("%s, %v", index.Machines[string(id)], err)
		}
	})
	t.Run("inside", func(t *testing.T) {
		for node, address := range map[string]string{"w1": "[192.168.56.11/24]", "w2": "[192.168.56.12/24]"} {
			if text := f.dials.stdin[node]; !contains(text, address) || contains(text, "192.168.56.10/") {
				t.Errorf("%s got %q", node, text)
			}
		}
		if len(f.dials.ran) != 2 { // the template knew the lab's key already
			t.Errorf("the lab's key was installed %d times", len(f.dials.ran))
		}
	})
	t.Run("started like any other", func(t *testing.T) {
		if err := p.Halt(t.Context(), "w1"); err != nil {
			t.Fatal(err)
		}
		p = f.prepared()
		f.calls()
		f.up(p, "w1")
		if calls := f.calls(); count(calls, "up")+count(calls, "clonevm") != 0 || count(calls, "startvm") != 1 {
			t.Errorf("%q", calls)
		}
	})
	t.Run("one more, after a machine that runs", func(t *testing.T) {
		m := f.spec.Machines[0]
		m.Name, m.Address = "w3", netip.MustParseAddr("192.168.56.13")
		f.spec.Machines = append(f.spec.Machines, m)
		p = f.prepared()
		f.calls()
		f.up(p, "w3")
		if calls := f.calls(); count(calls, "up") != 0 || count(calls, "clonevm") != 1 {
			t.Errorf("%q", calls)
		}
	})
}

// TestCloneIsLeftToVagrant gives reasons for doubt: each ends with the machine made by Vagrant, once, and whole.
func TestCloneIsLeftToVagrant(t *testing.T) {
	failing := func(match string) func(*fixture) {
		return func(f *fixture) { f.rules(rule{Match: match, Times: 1, Code: 1, Stderr: "VBoxManage: error: no\n"}) }
	}
	write := func(path, text string) func(*fixture) {
		return func(f *fixture) {
			path = strings.NewReplacer("HOME", f.host.home, "LAB", f.lab).Replace(path)
			must(os.MkdirAll(filepath.Dir(path), 0o700))
			must(os.WriteFile(path, []byte(text), 0o600))
		}
	}
	template := func(change func(*fakeVM)) func(*fixture) {
		return func(f *fixture) {
			for _, vm := range f.host.labs() {
				change(vm)
			}
		}
	}
	tests := map[string]func(*fixture){
		"clonevm fails":  failing("^clonevm"),
		"modifyvm fails": failing("^modifyvm"),
		"startvm fails":  failing("^startvm"),
		"no master": func(f *fixture) {
			must(os.Remove(filepath.Join(f.host.home, "boxes/a-VAGRANTSLASH-b/1.0/virtualbox/master_id")))
		},
		"the box in two places":       write("HOME/boxes/a-VAGRANTSLASH-b/1.0/amd64/virtualbox/metadata.json", "{}"),
		"Vagrant's index is of later": write("HOME/data/machine-index/index", `{"version":2}`),
		"a Vagrantfile of the user's": write("HOME/Vagrantfile", ""),
		"a plugin":                    write("HOME/plugins.json", `{"version":"1","installed":{"vagrant-vbguest":{}}}`),
		"a plugin of the lab's":       write("LAB/.vagrant/plugins.json", "{}"),
		"no key that everybody has":   func(f *fixture) { must(os.Remove(filepath.Join(f.host.home, "insecure_private_key"))) },
		"the box has another key":     func(f *fixture) { f.dials.refuses = "everybody's" },
		"unknown card":                template(func(vm *fakeVM) { vm.Settings["nic3"] = "bridged" }),
		"hardware that clones lack":   template(func(vm *fakeVM) { vm.Settings["chipset"] = "ich9" }),
		"unknown network": func(f *fixture) {
			f.dials.network = "/etc/netplan/50-vagrant.yaml\n644\nmacaddress: 0\n192.168.56.10/24\n"
		},
		"set-up inside fails":             func(f *fixture) { f.dials.fails = &remote.ExitError{Host: "w1", Code: 78} },
		"a disk of its own":               func(f *fixture) { f.spec.Machines[1].Disk = 1 << 36 },
		"the template was made otherwise": func(f *fixture) { f.spec.Machines[0].Memory *= 2 },
	}
	for name, break_ := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.up(f.prepared(), "cp")
			break_(f)
			p := f.prepared()
			f.calls()
			f.up(p, "w1")
			if calls := f.calls(); count(calls, "up") != 1 {
				t.Errorf("Vagrant was not asked:\n%s\n%s", strings.Join(calls, "\n"), strings.Join(f.said, "\n"))
			}
			f.whole("cp", "w1")
			f.calls()
			if f.up(f.prepared(), "w1"); count(f.calls(), "up") != 0 {
				t.Error("the machine is not complete")
			}
		})
	}
}

func TestTemplateThatFails(t *testing.T) {
	for _, stage := range upStages {
		t.Run(stage, func(t *testing.T) {
			f := newFixture(t, rule{Match: "^up ", Times: 1, Stage: stage, Code: 1})
			var failed []string
			for name, err := range f.upTogether(f.prepared(), "cp", "w1", "w2") {
				if err != nil {
					failed = append(failed, name)
				}
			}
			if len(failed) != 1 {
				t.Errorf("failed: %q, want the one that Vagrant failed on", failed)
			}
			p := f.prepared()
			for name, err := range f.upTogether(p, "cp", "w1", "w2") {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			f.whole("cp", "w1", "w2")
		})
	}
}

// TestCloneCutShort ends podium in the middle of each call for a clone; the next up must complete it, or destroy remove it.
func TestCloneCutShort(t *testing.T) {
	for _, at := range []string{"clonevm", "modifyvm", "startvm"} {
		for _, next := range []string{"up", "destroy"} {
			t.Run(at+" then "+next, func(t *testing.T) {
				f := newFixture(t)
				f.up(f.prepared(), "cp")
				ctx, cancel := context.WithCancel(t.Context())
				p := f.prepared(func(o *Options) {
					o.exec = func(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error) {
						code, err := f.host.exec(ctx, stdout, stderr, args...)
						if args[0] == at {
							cancel()
							return -1, context.Canceled
						}
						return code, err
					}
				})
				if _, err := p.Up(ctx, "w1"); !errors.Is(err, context.Canceled) {
					t.Fatalf("got %v", err)
				}
				if len(f.host.labs()) != 2 {
					t.Fatalf("%v", f.host.labs())
				}
				if next == "up" {
					f.up(f.prepared(), "w1")
					f.whole("cp", "w1")
					return
				}
				if err := f.provider().Destroy(t.Context(), "w1"); err != nil {
					t.Fatal(err)
				}
				f.whole("cp")
			})
		}
	}
}

// TestCloneStartedLate is a podium that was killed while VBoxManage started a clone: the machine begins to run between the
// next podium's look and Vagrant's, and Vagrant takes it for finished.
func TestCloneStartedLate(t *testing.T) {
	f := newFixture(t)
	f.up(f.prepared(), "cp")
	ctx, cancel := context.WithCancel(t.Context())
	p := f.prepared(func(o *Options) {
		o.exec = func(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error) {
			if args[0] == "startvm" {
				cancel()
				return -1, context.Canceled
			}
			return f.host.exec(ctx, stdout, stderr, args...)
		}
	})
	if _, err := p.Up(ctx, "w1"); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	late := true
	p = f.prepared(func(o *Options) {
		o.exec = func(ctx context.Context, stdout, stderr io.Writer, args ...string) (int, error) {
			if args[0] == "up" && late {
				late = false
				for _, vm := range f.host.labs() {
					vm.State = "running"
				}
			}
			return f.host.exec(ctx, stdout, stderr, args...)
		}
	})
	f.calls()
	f.up(p, "w1")
	if n := count(f.calls(), "up"); n != 2 {
		t.Errorf("Vagrant was asked %d times, want a second time after it took the machine for finished", n)
	}
	if _, err := os.Stat(filepath.Join(p.dataDir("w1"), "private_key")); err != nil {
		t.Errorf("the boot did not come to its end: %v", err)
	}
	f.whole("cp", "w1")
}

// TestCloneWaits is the template whose boot never ends.
func TestCloneWaits(t *testing.T) {
	f := newFixture(t)
	p := f.prepared()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	m := p.newTemplateMachine("cp")
	if err := errors.Join(m.waitHardware(ctx), m.waitNetwork(ctx)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestLikeness(t *testing.T) {
	node := templates.VagrantNode{CPUs: 2, MemoryMiB: 1024}
	template := map[string]string{"name": "cp", "memory": "512", "cpus": "1", "chipset": "piix3", "S-0-0": "/a", "S-1-0": "none"}
	with := func(key, value string) map[string]string {
		made := map[string]string{"name": "w1", "memory": "1024", "cpus": "2", "chipset": "piix3", "S-0-0": "/b", "S-1-0": "none"}
		made[key] = value
		return made
	}
	tests := []struct {
		name string
		made map[string]string
		like bool
	}{
		{"like", with("name", "w1"), true},
		{"an address of its own", with("macaddress2", "1"), true},
		{"another chipset", with("chipset", "ich9"), false},
		{"a key that the template lacks", with("usb", "on"), false},
		{"no disk", with("S-0-0", "none"), false},
		{"one disk more", with("S-1-0", "/c"), false},
		{"too little memory", with("memory", "512"), false},
		{"too few processors", with("cpus", "1"), false},
	}
	for _, test := range tests {
		if err := sameHardware(template, test.made, node); (err == nil) != test.like || err != nil && !errors.Is(err, errNoClone) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestNetworkFile(t *testing.T) {
	address := netip.MustParseAddr("192.168.56.1")
	tests := []struct{ name, text, want string }{
		{"netplan", "/etc/netplan/50-vagrant.yaml\n600\naddresses:\n- 192.168.56.1/24\n", "addresses:\n- 192.168.56.77/24\n"},
		{"networkd", "/etc/systemd/network/50-vagrant-eth1.network\n644\nAddress=192.168.56.1/24", "Address=192.168.56.77/24"},
		{"a longer address only", "/f\n644\nAddress=192.168.56.10/24", ""},
		{"a longer address beside it", "/f\n644\nA=192.168.56.10\nB=1192.168.56.1\nC=192.168.56.1", "A=192.168.56.10\nB=1192.168.56.1\nC=192.168.56.77"},
		{"twice", "/f\n644\n192.168.56.1 192.168.56.1", ""},
		{"bound to a card", "/f\n644\nMACAddress=x\n192.168.56.1", ""},
		{"nothing", "", ""},
	}
	for _, test := range tests {
		n, err := parseNetworkFile(test.text, address)
		if test.want == "" {
			if !errors.Is(err, errNoClone) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := n.forAddress(netip.MustParseAddr("192.168.56.77")); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestVagrantKey(t *testing.T) {
	private, public, err := remote.GenerateRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	if !strings.HasPrefix(public, line+" ") || !strings.HasPrefix(string(private), "-----BEGIN RSA PRIVATE KEY-----\n") {
		t.Errorf("%s does not belong to the private key", public)
	}
}
