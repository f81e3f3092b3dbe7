package incus

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/machine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDescribe shows what is asked of Incus for each kind of node.
func TestDescribe(t *testing.T) {
	for _, c := range []struct {
		file, node, change string
	}{
		{"control-plane.json", "cp", ""},
		{"worker.json", "w2", ""},
		{"docker.json", "ops", ""},
		{"vm.json", "cp", "incus: {image: debian-12, instance: vm}"},
		{"download.json", "ops", "incus: {image: 'images:ubuntu/24.04'}"},
		{"elsewhere.json", "ops", "incus: {image: debian-12, remote: away}"},
	} {
		t.Run(c.file, func(t *testing.T) {
			text := fakeLab
			if c.change != "" {
				text = strings.Replace(text, "incus: {image: debian-12}", c.change, 1)
			}
			p, spec, _ := fake(t, text, healthy)
			if err := p.Prepare(context.Background(), spec); err != nil {
				t.Fatal(err)
			}
			m, ok := p.machineNamed(c.node)
			if !ok {
				t.Fatal("no such node: ", c.node)
			}
			got, err := json.MarshalIndent(describe(spec.Lab, m, p.shared, p.place, spec.PublicKey), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.file, append(got, '\n'))
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestUp follows the calls of a first and of a second up.
func TestUp(t *testing.T) {
	p, spec, calls := fake(t, fakeLab, healthy)
	ctx := context.Background()
	if err := p.Prepare(ctx, spec); err != nil {
		t.Fatal(err)
	}
	e, err := p.Up(ctx, "w1")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"ssh-ed25519 AAAA root@a", "ssh-rsa BBBB root@a"}; e.Host != "192.168.56.11" || e.Port != 22 || e.User != "vagrant" || !slices.Equal(e.HostKeys, want) {
		t.Errorf("endpoint %+v", e)
	}
	made := slices.IndexFunc(calls(), func(c string) bool { return strings.Contains(c, `"name":"k8s-basic-w1"`) })
	if made < 0 || !strings.Contains(calls()[made+1], "local:k8s-basic-w1 -- sh -s -- w1 vagrant ssh-ed25519 KEY podium") || !strings.Contains(calls()[made+2], keyHostKeys) {
		t.Errorf("calls:\n%s", strings.Join(calls(), "\n"))
	}
	if again, err := p.Up(ctx, "w1"); err != nil || !slices.Equal(again.HostKeys, e.HostKeys) {
		t.Errorf("second up: %+v, %v", again, err)
	}
	if n := len(calls()); n != made+4 || !strings.Contains(calls()[made+3], "query local:/1.0/instances/k8s-basic-w1") {
		t.Errorf("the second up called incus:\n%s", strings.Join(calls()[made+3:], "\n"))
	}
}

// TestUpAgain: the engine asks a second time when a node does not answer any more.
func TestUpAgain(t *testing.T) {
	running := ours("w1", "Running", keyHostKeys, "ssh-ed25519 A")
	for _, c := range []struct {
		name, call string
		now        answer
	}{
		{"stopped behind our back", `{"action":"start"`, answer{Stdout: strings.Replace(running, "Running", "Stopped", 1)}},
		{"removed behind our back", `"name":"k8s-basic-w1"`, answer{Stderr: "Error: Failed to fetch instance \"k8s-basic-w1\" in project \"default\": Instance not found\n", Code: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.now.Call = "query local:/1.0/instances/k8s-basic-w1?"
			p, spec, calls := fake(t, fakeLab, with(answer{Call: "/1.0/instances?recursion=1", Stdout: "[" + running + "]"}, c.now))
			if err := p.Prepare(context.Background(), spec); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := p.Up(context.Background(), "w1"); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.ContainsFunc(calls(), func(call string) bool { return strings.Contains(call, c.call) }) {
				t.Errorf("no call has %s:\n%s", c.call, strings.Join(calls(), "\n"))
			}
		})
	}
}

// TestOldControlGroups: a kubelet must see no processor that it may not use.
func TestOldControlGroups(t *testing.T) {
	old := with(answer{Call: "exec ", Stdout: "ssh-ed25519 AAAA root@a\ncgroup-v1\n"})
	for _, c := range []struct {
		name, node string
		known      bool     // before the machine is made
		want       []string // parts of the calls
	}{
		{"known before", "cp", true, []string{`"limits.cpu":"","limits.cpu.allowance":"200ms/100ms"`, "exec ", keyHostKeys}},
		{"found inside", "cp", false, []string{`"limits.cpu":"2"`, "exec ", `"limits.cpu":"","limits.cpu.allowance":"200ms/100ms"`, `{"action":"restart"`}},
		{"no node of a cluster", "ops", true, []string{`"limits.cpu":"1"`, "exec ", keyHostKeys}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, spec, calls := fake(t, fakeLab, old)
			p.cgroupV1 = c.known
			if err := p.Prepare(context.Background(), spec); err != nil {
				t.Fatal(err)
			}
			before := len(calls())
			e, err := p.Up(context.Background(), c.node)
			if err != nil || !slices.Equal(e.HostKeys, []string{"ssh-ed25519 AAAA root@a"}) {
				t.Errorf("%+v, %v", e, err)
			}
			got := calls()[before:]
			fits := len(got) == len(c.want)
			for i := range min(len(got), len(c.want)) {
				fits = fits && strings.Contains(got[i], c.want[i])
			}
			if !fits {
				t.Errorf("calls %q, want those with %q", got, c.want)
			}
		})
	}
}

// ours is an instance of the lab as the API lists it.
func ours(node, status string, more ...string) string {
	config := map[string]string{
		keyLab: "k8s-basic", keyOwner: "kim@laptop:/home/kim/lab", keyNode: node, keyUser: "vagrant",
		"limits.cpu": "1", "limits.memory": "2048MiB",
	}
	for i := 0; i+1 < len(more); i += 2 {
		config[more[i]] = more[i+1]
	}
	devices := map[string]map[string]string{"eth0": {"type": "nic", "ipv4.address": "192.168.56.11"}}
	text, _ := json.Marshal(instance{Name: "k8s-basic-" + node, Type: "container", Status: status, Config: config, Devices: devices})
	return string(text)
}

// TestUpOf shows what is done to an instance that is there already: calls that change something, in order.
func TestUpOf(t *testing.T) {
	for _, c := range []struct {
		name, instance string
		want           []string // parts of the calls
	}{
		{"running", ours("w1", "Running", keyHostKeys, "ssh-ed25519 A"), nil},
		{"stopped", ours("w1", "Stopped", keyHostKeys, "ssh-ed25519 A"), []string{`{"action":"start"`}},
		{"frozen", ours("w1", "Frozen", keyHostKeys, "ssh-ed25519 A"), []string{`{"action":"unfreeze"`}},
		{"smaller than it should be", ours("w1", "Running", keyHostKeys, "ssh-ed25519 A", "limits.memory", "1024MiB"), []string{`"limits.memory":"2048MiB"`}},
		{"running, nobody let in yet", ours("w1", "Running"), []string{"exec ", keyHostKeys}},
		{"cut off while it was made", ours("w1", "Stopped"), []string{"-X DELETE", "-X POST", "exec ", keyHostKeys}},
		{"in error, never finished", ours("w1", "Error"), []string{`{"action":"stop","force":true`, "-X DELETE", "-X POST", "exec ", keyHostKeys}},
		{"another lab's of the same name is not looked at", strings.Replace(ours("w1", "Running"), "k8s-basic-w1", "other-w1", 1), []string{"-X POST", "exec ", keyHostKeys}},
	} {
		t.Run(c.name, func(t *testing.T) {
			listed := c.instance
			if strings.Contains(c.name, "another lab") {
				listed = strings.Replace(listed, `"k8s-basic"`, `"other"`, 1)
			}
			p, spec, calls := fake(t, fakeLab, with(answer{Call: "/1.0/instances?recursion=1", Stdout: "[" + listed + "]"}))
			if err := p.Prepare(context.Background(), spec); err != nil {
				t.Fatal(err)
			}
			before := len(calls())
			if _, err := p.Up(context.Background(), "w1"); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, call := range calls()[before:] {
				if strings.Contains(call, " -X ") || strings.HasPrefix(call, "exec ") {
					got = append(got, call)
				}
			}
			fits := len(got) == len(c.want)
			for i := range min(len(got), len(c.want)) {
				fits = fits && strings.Contains(got[i], c.want[i])
			}
			if !fits {
				t.Errorf("calls %q, want those with %q", got, c.want)
			}
		})
	}
}

// TestErrors pairs what Incus says with what podium says. The texts are recorded from Incus 6.0.4.
func TestErrors(t *testing.T) {
	failing := func(call, stderr string) answer { return answer{Call: call, Stderr: stderr, Code: 1} }
	for _, c := range []struct {
		name      string
		script    answer
		kind      error
		preflight bool
		says      []string
	}{
		{"no daemon", failing(":/1.0", "If this is your first time running Incus on this machine, you should also run: incus admin init\n\nError: The incus daemon doesn't appear to be started (socket path: /var/lib/incus/unix.socket)\n"),
			ErrNoDaemon, true, []string{"systemctl start incus", "/var/lib/incus/unix.socket"}},
		{"no permission", failing(":/1.0", "Error: You don't have the needed permissions to talk to the incus daemon (socket path: /var/lib/incus/unix.socket)\n"),
			ErrPermission, true, []string{"usermod -aG incus-admin"}},
		{"not trusted", answer{Call: ":/1.0?project", Stdout: `{"auth":"untrusted","environment":{}}`}, ErrPermission, true, []string{"incus remote add local"}},
		{"image missing", failing("/1.0/images/aliases/debian-12", "Error: Image alias not found\n"), ErrNoImage, true, []string{"image debian-12", "incus image list local:"}},
		{"no root disk", answer{Call: "/1.0/profiles/default", Stdout: `{"devices":{}}`}, nil, true, []string{"incus admin init", "incus.pool"}},
		{"range of another network", answer{Call: "/1.0/networks?recursion=1", Stdout: `[{"name":"pd-k8s-b-123456","type":"bridge","managed":true,"config":{"ipv4.address":"192.168.56.1/24","user.podium.lab":"k8s-basic","user.podium.owner":"lee@desk:/lab"}}]`},
			ErrNetworkTaken, true, []string{"192.168.56.0/24", "lab k8s-basic (lee@desk:/lab)", "another network:"}},
		{"range of a card", answer{Call: "/1.0/networks/eth0/state", Stdout: `{"addresses":[{"family":"inet","address":"192.168.0.7","netmask":"16"}]}`},
			ErrNetworkTaken, true, []string{"eth0 has 192.168.0.0/16"}},
		{"own network of another range", answer{Call: "/1.0/networks?recursion=1", Stdout: `[{"name":"pd-x","type":"bridge","managed":true,"config":{"ipv4.address":"10.1.0.1/24","user.podium.lab":"k8s-basic","user.podium.owner":"kim@laptop:/home/kim/lab"}}]`},
			nil, true, []string{"10.1.0.0/24", "lab.yaml says 192.168.56.0/24"}},
		{"network cannot start", failing("-X POST -d {\"config\":{\"ipv4.address\"", "Error: The DNS and DHCP service exited prematurely: exit status 2 (\"dnsmasq: failed to create listening socket for 192.168.56.1: Address already in use\")\n"),
			ErrNetworkTaken, true, []string{"another network:"}},
		{"name taken by somebody", answer{Call: "/1.0/instances?recursion=1", Stdout: `[{"name":"k8s-basic-w2","status":"Running","config":{}}]`},
			ErrNameTaken, true, []string{"creating w2", "k8s-basic-w2", "podium did not make it", "leaves that instance alone"}},
		{"name taken by another's lab", answer{Call: "/1.0/instances?recursion=1", Stdout: `[{"name":"k8s-basic-cp","status":"Running","config":{"user.podium.lab":"k8s-basic","user.podium.owner":"lee@desk:/lab","user.podium.node":"cp"}}]`},
			ErrNameTaken, true, []string{"lab k8s-basic of lee@desk:/lab"}},
		{"name taken meanwhile", failing("-X POST -d {\"name\":\"k8s", "Error: Failed creating instance record: Add instance info to the database: Failed to create \"instances\" entry: UNIQUE constraint failed: instances.project_id, instances.name\n"),
			ErrNameTaken, false, []string{"another lab made it just now"}},
		{"image only for containers", failing("-X POST -d {\"name\":\"k8s", "Error: Requested image's type \"container\" doesn't match instance type \"virtual-machine\"\n"), ErrNoImage, true, []string{"incus.instance"}},
		{"image server not reached", failing("-X POST -d {\"name\":\"k8s", "Error: Failed getting remote image info: Failed getting image: Failed parsing stream: Get \"https://images.linuxcontainers.org/streams/v1/index.json\": lookup images.linuxcontainers.org on 10.255.255.53:53: no such host\n"),
			ErrNoImage, true, []string{"does the server reach the image server"}},
		{"pool full", failing("-X POST -d {\"name\":\"k8s", "Error: write /var/lib/incus/containers/b/backup.yaml: no space left on device\n"), ErrPoolFull, false, []string{"creating w1", "incus storage info"}},
		{"pool full while the image is unpacked", failing("-X POST -d {\"name\":\"k8s", "Error: Failed creating instance from image: Unpack failed: Failed to run: tar "+strings.Repeat("--exclude=./dev/* ", 50)+
			"-C /var/lib/incus -x: exit status 2 (tar: ./usr/lib/x.so: Cannot write: No space left on device\ntar: ./usr/lib/y.so: Cannot write: No space left on device)\n"),
			ErrPoolFull, false, []string{"full: tar: ./usr/lib/x.so: Cannot write: No space left on device: free some: incus storage info pool1"}},
		{"daemon dies", failing("-X POST -d {\"name\":\"k8s", "Error: unexpected EOF\n"), ErrNoDaemon, true, []string{"nothing is lost"}},
		{"no virtual machines here", failing("-X POST -d {\"name\":\"k8s", "Error: Failed creating instance record: Instance type \"virtual-machine\" is not supported on this server: vhost_vsock kernel module not loaded\n"),
			ErrNotCapable, true, []string{"instance: container"}},
		{"restricted project", failing("-X POST -d {\"name\":\"k8s", "Error: Failed checking if instance creation allowed: Invalid value \"true\" for config \"security.privileged\" on container \"p\" of project \"r\": Privileged containers are forbidden\n"),
			ErrPermission, true, []string{"restricted.containers.privilege=allow", "incus project set default ", "instance: vm"}},
		{"damaged image", failing("-X POST -d {\"name\":\"k8s", "Error: Failed to run: /usr/libexec/incus/incusd forkstart k8s-basic-w1 /var/lib/incus/containers /run/incus/k8s-basic-w1/lxc.conf: exit status 1\n"),
			nil, false, []string{"incus info --show-log", "incus image delete"}},
		{"no systemd inside", failing("exec ", "systemd does not answer: is it this image's init?\n"), nil, false, []string{"putting user vagrant on w1", "is it this image's init?"}},
		{"no host keys inside", answer{Call: "exec ", Stdout: "\n"}, nil, false, []string{"host keys of w1", "systemctl status ssh"}},
		{"something unheard of", failing("-X POST -d {\"name\":\"k8s", "Error: the moon is full\n"), nil, false, []string{"creating w1: the moon is full"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, spec, _ := fake(t, fakeLab, with(c.script))
			err := p.Prepare(context.Background(), spec)
			if err == nil {
				_, err = p.Up(context.Background(), "w1")
			}
			if err == nil {
				t.Fatal("no error")
			}
			if c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("%v is no %v", err, c.kind)
			}
			if errors.Is(err, machine.ErrPreflight) != c.preflight {
				t.Errorf("%v: ErrPreflight is %v, want %v", err, !c.preflight, c.preflight)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v\ndoes not say %q", err, part)
				}
			}
		})
	}
}

func TestNoClient(t *testing.T) {
	p, spec, _ := fake(t, fakeLab, healthy)
	p.client.program = filepath.Join(t.TempDir(), "incus")
	if err := p.Prepare(context.Background(), spec); !errors.Is(err, ErrNoClient) || !errors.Is(err, machine.ErrPreflight) {
		t.Errorf("got %v", err)
	}
}

// TestUpWithoutDescription: a lab comes back from a snapshot although its lab.yaml is gone.
func TestUpWithoutDescription(t *testing.T) {
	listed := ours("w1", "Stopped", keyHostKeys, "ssh-ed25519 A") + "," + ours("w2", "Running")
	p, _, calls := fake(t, fakeLab, with(answer{Call: "/1.0/instances?recursion=1", Stdout: "[" + listed + "]"}))
	e, err := p.Up(context.Background(), "w1")
	if err != nil || e.Host != "192.168.56.11" || e.User != "vagrant" || e.Node != "w1" || !slices.Equal(e.HostKeys, []string{"ssh-ed25519 A"}) {
		t.Errorf("%+v, %v", e, err)
	}
	if last := calls()[len(calls())-1]; !strings.Contains(last, `{"action":"start"`) {
		t.Errorf("last call: %s", last)
	}
	for _, node := range []string{"w2", "w3"} { // never finished, never made
		if _, err := p.Up(context.Background(), node); !errors.Is(err, machine.ErrNotFound) {
			t.Errorf("%s: %v", node, err)
		}
	}
}

// TestForeign makes sure that nothing without the lab's marks is changed or removed.
func TestForeign(t *testing.T) {
	listed := `[{"name":"k8s-basic-w1","status":"Running","config":{}},` +
		`{"name":"k8s-basic-cp","status":"Running","config":{"user.podium.lab":"k8s-basic","user.podium.node":"cp","user.podium.owner":"lee@desk:/lab"}}]`
	p, _, calls := fake(t, fakeLab, with(answer{Call: "/1.0/instances?recursion=1", Stdout: listed}))
	ctx := context.Background()
	states, err := p.Status(ctx)
	if err != nil || len(states) != 0 {
		t.Errorf("status %v, %v", states, err)
	}
	for _, node := range []string{"w1", "cp"} {
		if err := errors.Join(p.Halt(ctx, node), p.Destroy(ctx, node), p.DeleteSnapshot(ctx, node, "ready")); err != nil {
			t.Error(err)
		}
		if err := p.Snapshot(ctx, node, "ready"); !errors.Is(err, machine.ErrNotFound) {
			t.Errorf("snapshot: %v", err)
		}
	}
	if err := p.Cleanup(ctx); err != nil {
		t.Error(err)
	}
	for _, call := range calls() {
		if strings.Contains(call, " -X ") {
			t.Errorf("changed something: %s", call)
		}
	}
}

// TestRemembered makes sure that a lab is found where it was made, after its lab.yaml is gone and the client was
// switched to another remote.
func TestRemembered(t *testing.T) {
	text := strings.Replace(fakeLab, "image: debian-12", "image: debian-12, remote: away, project: class", 1)
	p, spec, _ := fake(t, text, with(answer{Call: "/1.0/projects/class", Stdout: `{"config":{}}`}))
	if err := p.Prepare(context.Background(), spec); err != nil {
		t.Fatal(err)
	}
	later, err := New(Options{Dir: p.dir, Folder: "/somewhere/else", Executable: p.client.program})
	if err != nil {
		t.Fatal(err)
	}
	if later.place != p.place || later.client.remote != "away" || later.client.project != "class" {
		t.Errorf("got %+v, want %+v", later.place, p.place)
	}
	away := instance{Name: "k8s-basic-cp", Devices: map[string]map[string]string{"ssh": {"type": "proxy"}}}
	if e := later.endpoint("cp", away); e.Host != "incus.example" || e.Port < 20000 {
		t.Errorf("endpoint of a machine on a server elsewhere: %+v", e)
	}
}

func TestNoLab(t *testing.T) {
	if _, err := New(Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), rememberedFile) {
		t.Errorf("got %v", err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, rememberedFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Lab: "x", Dir: folder}); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("l", 60)
	for _, c := range []struct{ lab, node, want string }{
		{"k8s-basic", "cp", "k8s-basic-cp"},
		{"3rd", "w1", "lab-3rd-w1"},
		{long, "w1", long + "-w1"},
		{long, "worker1", long[:54] + "-" + digest(long + "-worker1")[:8]},
	} {
		if got := instanceName(c.lab, c.node); got != c.want || len(got) > 63 {
			t.Errorf("%s, %s: %s, want %s", c.lab, c.node, got, c.want)
		}
	}
	for _, name := range []string{"a", "k8s-basic", "abcd-e", long} {
		got := networkName(name, "kim@laptop:/lab")
		if len(got) > 15 || got == networkName(name, "lee@desk:/lab") || strings.Contains(got, "--") {
			t.Errorf("network of %s: %s", name, got)
		}
	}
}

func TestGateway(t *testing.T) {
	_, spec, _ := fake(t, fakeLab, healthy)
	ms := spec.Machines
	subnet := netip.MustParsePrefix("192.168.56.0/24")
	for _, c := range []struct {
		first, second string
		want          string
	}{
		{"192.168.56.10", "192.168.56.11", "192.168.56.1"},
		{"192.168.56.1", "192.168.56.11", "192.168.56.254"},
		{"192.168.56.1", "192.168.56.254", ""},
	} {
		ms[0].Address, ms[1].Address = netip.MustParseAddr(c.first), netip.MustParseAddr(c.second)
		got, err := gatewayOf(subnet, ms)
		if c.want == "" && err == nil || c.want != "" && got.String() != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}
