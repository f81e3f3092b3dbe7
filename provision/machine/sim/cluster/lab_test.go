package cluster

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/machine/sim/command"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/shell"
	"podium/provision/machine/sim/vfs"
)

// testLab is a lab of machines on one network, with a systemctl that knows two units.
type testLab struct {
	t        testing.TB
	machines map[string]*guest.Machine // by address
	mu       sync.Mutex
	shared   map[any]any
	ahead    time.Duration
}

func newLab(t testing.TB) *testLab {
	l := &testLab{t: t, machines: map[string]*guest.Machine{}, shared: map[any]any{}}
	t.Cleanup(func() {
		for _, m := range l.machines {
			m.Halt()
		}
	})
	return l
}

func (l *testLab) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Add(l.ahead)
}

func (l *testLab) pass(d time.Duration) {
	l.mu.Lock()
	l.ahead += d
	l.mu.Unlock()
}

func (l *testLab) Dial(_ context.Context, from *guest.Machine, host string, port int) (guest.Handler, error) {
	if strings.Contains("registry.k8s.io registry-1.docker.io ghcr.io", host) {
		return guest.HandlerFunc(notHTTP), nil
	}
	m := l.Peer(host)
	if host == "127.0.0.1" || host == natAddress {
		m = from
	}
	if m == nil {
		return nil, says("No route to host")
	}
	if k := m.Kernel(); k != nil && k.Listener(port) != nil {
		return k.Listener(port), nil
	}
	return nil, says("Connection refused")
}

func (l *testLab) Lookup(context.Context, string) (string, bool) { return "", false }

func (l *testLab) Shared(k any, make func() any) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.shared[k]; !ok {
		l.shared[k] = make()
	}
	return l.shared[k]
}

func (l *testLab) Peer(address string) *guest.Machine {
	if m := l.machines[address]; m != nil && m.Running() {
		return m
	}
	return nil
}

const network = "192.168.56.0/24"

// add makes and boots a machine that is ready for kubeadm.
func (l *testLab) add(name, address string) *guest.Machine {
	l.t.Helper()
	m := l.bare(name, address)
	l.ok(m, "echo overlay >/etc/modules; echo br_netfilter >>/etc/modules; echo net.ipv4.ip_forward=1 >/etc/sysctl; echo net.bridge.bridge-nf-call-iptables=1 >>/etc/sysctl; prepare",
		"systemctl enable containerd; systemctl enable kubelet; systemctl start containerd")
	return m
}

// bare makes and boots a machine with the programs and nothing set up.
func (l *testLab) bare(name, address string) *guest.Machine {
	l.t.Helper()
	fs := vfs.New(l.now)
	root := vfs.Root()
	all := guest.Programs{}
	cache := &shell.Cache{}
	for _, set := range []guest.Programs{command.Programs(), Programs(), {"bash": shell.Bash(cache), "sh": shell.Sh(cache), "systemctl": systemctl, "prepare": prepare}} {
		maps.Copy(all, set)
	}
	for _, dir := range []string{"/usr/bin", "/etc/containerd", "/etc/default", "/etc/units", "/opt/cni/bin", "/root", "/tmp", "/proc", "/var/lib", "/dev"} {
		l.must(fs.MkdirAll(root, dir, 0o755))
	}
	l.must(fs.MountTmpfs("/run", 0o755))
	for p := range all {
		v := map[string]string{"kubeadm": "1.36.3", "kubelet": "1.36.3", "kubectl": "1.36.3", "containerd": "2.2.1"}[p]
		l.must(fs.WriteFile(root, "/usr/bin/"+p, guest.Executable(p, v), 0o755))
	}
	for _, p := range []string{"conntrack", "iptables", "ip", "mount"} {
		l.must(fs.WriteFile(root, "/usr/bin/"+p, guest.Executable("true", ""), 0o755))
	}
	for _, p := range []string{"bridge", "host-local", "portmap", "loopback"} {
		l.must(fs.WriteFile(root, "/opt/cni/bin/"+p, guest.Executable("true", ""), 0o755))
	}
	l.must(fs.WriteFile(root, "/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nlab:x:1000:1000::/home/lab:/bin/bash\n", 0o644))
	l.must(fs.WriteFile(root, "/etc/group", "root:x:0:\n", 0o644))
	l.must(fs.WriteFile(root, "/etc/hostname", name+"\n", 0o644))
	l.must(fs.WriteFile(root, "/etc/hosts", "127.0.0.1 localhost\n192.168.56.10 kube-api\n"+address+" "+name+"\n", 0o644))
	l.must(fs.WriteFile(root, "/etc/os-release", "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\n", 0o644))
	l.must(fs.WriteFile(root, "/etc/default/kubelet", "--node-ip="+address+"\n", 0o644))
	l.must(fs.WriteFile(root, "/etc/containerd/config.toml", "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n  SystemdCgroup = true\n", 0o644))
	m := &guest.Machine{Name: name, FS: fs, Programs: all, Net: l, Now: l.now, Log: hclog.NewNullLogger(), Init: boot,
		Hardware: guest.Hardware{CPUs: 2, Memory: 2 << 30, Disk: 20 << 30, Address: address, Network: network, Arch: "amd64"}}
	l.machines[address] = m
	l.start(m)
	return m
}

func (l *testLab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *testLab) start(m *guest.Machine) {
	l.t.Helper()
	k, err := m.Boot(context.Background())
	l.must(err)
	k.Initialize()
}

func (l *testLab) reboot(m *guest.Machine) {
	m.Halt()
	l.start(m)
}

// prepare applies the files of modules and settings, as a boot does.
func prepare(_ context.Context, p *guest.Process) int {
	k := p.Kernel
	modules, _ := k.Machine.FS.ReadFile(vfs.Root(), "/etc/modules")
	for _, name := range strings.Fields(modules) {
		k.SetModule(name, true)
	}
	values, _ := k.Machine.FS.ReadFile(vfs.Root(), "/etc/sysctl")
	for _, line := range strings.Fields(values) {
		key, value, _ := strings.Cut(line, "=")
		k.SetSysctl(key, value)
	}
	if _, err := k.Machine.FS.Stat(vfs.Root(), "/etc/swap"); err == nil {
		k.SetSwaps([]guest.Swap{{Path: "/swap.img", Size: 2 << 30}})
	}
	return 0
}

func boot(k *guest.Kernel) {
	prepare(k.Context(), &guest.Process{Kernel: k})
	for _, unit := range []string{"containerd", "kubelet"} {
		if _, err := k.Machine.FS.Stat(vfs.Root(), "/etc/units/"+unit); err == nil {
			startUnit(k, unit)
		}
	}
}

// startUnit starts a unit and waits until its program serves or has ended.
func startUnit(k *guest.Kernel, unit string) {
	args := []string{"containerd"}
	if unit == "kubelet" {
		args = []string{"kubelet", "--bootstrap-kubeconfig=" + bootstrapConf, "--kubeconfig=" + kubeletConfig, "--config=" + kubeletConf}
		for _, file := range []string{"/etc/default/kubelet", kubeletDir + "/kubeadm-flags.env"} {
			content, _ := k.Machine.FS.ReadFile(vfs.Root(), file)
			args = append(args, strings.Fields(strings.NewReplacer("KUBELET_KUBEADM_ARGS=", "", `"`, "").Replace(content))...)
		}
	}
	var out guest.File = guest.Null{}
	if os.Getenv("CLUSTER_TEST_LOG") != "" {
		out = guest.Stream{W: os.Stderr}
	}
	p, err := k.Start(guest.Spec{Args: args, Dir: "/", Cred: vfs.Root(), Unit: unit, Files: map[int]guest.File{0: guest.Null{}, 1: out, 2: out},
		Run: func(ctx context.Context, p *guest.Process) int { return p.Exec(ctx, args) }})
	if err != nil {
		return
	}
	for {
		up := k.Listener(healthPort) != nil
		if unit == "containerd" {
			up = runtimesOf(k).at(containerdSocket).running
		}
		if up {
			return
		}
		select {
		case <-p.Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func systemctl(_ context.Context, p *guest.Process) int {
	verb, unit := p.Args[1], strings.TrimSuffix(p.Args[len(p.Args)-1], ".service")
	var main *guest.Process
	for _, q := range p.Kernel.Processes() {
		if q.Unit == unit && q.PID != p.PID {
			main = q
		}
	}
	stop := func() {
		if main != nil {
			main.Signal(guest.SIGTERM)
			<-main.Done()
		}
	}
	switch verb {
	case "enable":
		p.FS().WriteFile(vfs.Root(), "/etc/units/"+unit, "", 0o644)
	case "disable":
		p.FS().Remove(vfs.Root(), "/etc/units/"+unit)
	case "is-enabled":
		if _, err := p.FS().Stat(vfs.Root(), "/etc/units/"+unit); err != nil {
			return 1
		}
	case "is-active":
		if main == nil {
			return 3
		}
	case "stop":
		stop()
	case "restart":
		stop()
		startUnit(p.Kernel, unit)
	case "start":
		if main == nil {
			startUnit(p.Kernel, unit)
		}
	case "daemon-reload":
	default:
		return 1
	}
	return 0
}

// run runs a script as root and returns everything it wrote.
func (l *testLab) run(m *guest.Machine, script string) (string, int) {
	return l.as(m, vfs.Root(), "/root", script)
}

func (l *testLab) as(m *guest.Machine, c vfs.Cred, home, script string) (string, int) {
	l.t.Helper()
	var out bytes.Buffer
	var mu sync.Mutex
	w := writer(func(b []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return out.Write(b) })
	k := m.Kernel()
	p, err := k.Start(guest.Spec{Args: []string{"bash", "-c", script}, Env: []string{"PATH=/usr/bin", "HOME=" + home}, Dir: "/root", Cred: c,
		Files: map[int]guest.File{0: guest.Null{}, 1: guest.Stream{W: w}, 2: guest.Stream{W: w}},
		Run:   func(ctx context.Context, p *guest.Process) int { return p.Exec(ctx, []string{"bash", "-c", script}) }})
	l.must(err)
	select {
	case <-p.Done():
	case <-time.After(2 * time.Minute):
		l.t.Fatalf("%s: %s hangs\n%s", m.Name, script, out.String())
	}
	mu.Lock()
	defer mu.Unlock()
	return out.String(), p.Status()
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// ok runs scripts that must succeed and returns what the last one wrote.
func (l *testLab) ok(m *guest.Machine, scripts ...string) string {
	l.t.Helper()
	out := ""
	for _, s := range scripts {
		code := 0
		if out, code = l.run(m, s); code != 0 {
			l.t.Fatalf("%s: %s: exit code %d\n%s", m.Name, s, code, out)
		}
	}
	return out
}

// fails runs a script that must fail with a text.
func (l *testLab) fails(m *guest.Machine, script, want string) {
	l.t.Helper()
	out, code := l.run(m, script)
	if code == 0 || !strings.Contains(out, want) {
		l.t.Errorf("%s: %s: exit code %d, want a failure with %q\n%s", m.Name, script, code, want, out)
	}
}

const initCommand = "kubeadm init --apiserver-advertise-address=192.168.56.10 --control-plane-endpoint=kube-api:6443 --pod-network-cidr=10.244.0.0/16 "

// cluster makes a control plane and so many workers, with flannel.
func (l *testLab) cluster(workers int) (cp *guest.Machine, w []*guest.Machine) {
	l.t.Helper()
	cp = l.add("cp", "192.168.56.10")
	l.ok(cp, initCommand, "mkdir -p .kube; cp /etc/kubernetes/admin.conf .kube/config")
	for i := range workers {
		m := l.add(fmt.Sprintf("w%d", i+1), fmt.Sprintf("192.168.%d.%d", 56+(i+11)/250, (i+11)%250))
		l.ok(m, l.ok(cp, "kubeadm token create --print-join-command"))
		w = append(w, m)
	}
	l.must(cp.FS.WriteFile(vfs.Root(), "/root/flannel.yml", flannelYAML, 0o644))
	l.ok(cp, "kubectl apply -f flannel.yml")
	return cp, w
}

const flannelYAML = `
apiVersion: v1
kind: Namespace
metadata: {name: kube-flannel}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-flannel-cfg, namespace: kube-flannel}
data:
  cni-conf.json: |
    {"name": "cbr0", "cniVersion": "0.3.1", "plugins": [{"type": "flannel", "delegate": {}}, {"type": "portmap"}]}
  net-conf.json: |
    {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-flannel-ds, namespace: kube-flannel}
spec:
  selector: {matchLabels: {app: flannel}}
  template:
    metadata: {labels: {app: flannel}}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists, effect: NoSchedule}]
      containers:
        - name: kube-flannel
          image: ghcr.io/flannel-io/flannel:v0.28.9
          args: [--ip-masq, --kube-subnet-mgr, --iface-can-reach=192.168.56.254]
`
