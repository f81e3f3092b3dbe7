package sim_test

import (
	"context"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"podium/provision/engine"
	"podium/provision/plan"
	"podium/provision/remote"
)

const pair = `
name: pair
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w1, roles: [worker], cpus: 1, memory: 2GiB}
kubernetes: {version: "1.36", cni: flannel}
`

// step runs the script of a task alone, as a person would, with its variables; without names those.
func step(t *testing.T, e *engine.Engine, h remote.Host, id plan.TaskID, without ...string) (errs string, code int) {
	t.Helper()
	for _, task := range e.Plan.Tasks {
		if task.ID != id {
			continue
		}
		for _, f := range task.Files {
			run(t, h, "mkdir -p "+path.Dir(f.Path))
			if err := h.Put(t.Context(), remote.File{Path: f.Path, Mode: f.Mode, Content: strings.NewReader(f.Text), Size: int64(len(f.Text)), Sudo: true}); err != nil {
				t.Fatal(err)
			}
		}
		args := []string{"env"}
		for name, value := range task.Vars {
			if !slices.Contains(without, name) {
				args = append(args, name+"="+value)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var out, text strings.Builder
		r, err := h.Run(ctx, remote.Command{Args: append(args, "bash", "-c", task.Script.Text), Sudo: true, Stdout: &out, Stderr: &text})
		if err != nil && r.Code == 0 {
			t.Fatal(err)
		}
		return out.String() + text.String(), r.Code
	}
	t.Fatalf("no task %s", id)
	return "", 0
}

// fresh prepares a node on which nothing was done.
func fresh(t *testing.T, e *engine.Engine, name string) remote.Host {
	t.Helper()
	if err := e.Provider.Prepare(t.Context(), machineSpec(e)); err != nil {
		t.Fatal(err)
	}
	return connect(t, e, name)
}

// TestWrongOrder runs scripts before those that they need.
func TestWrongOrder(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before []plan.TaskID
		run    plan.TaskID
		says   string
	}{
		{"images without containerd", []plan.TaskID{"cp/hosts", "cp/base", "cp/kube-packages"}, "cp/kube-images", "validate CRI v1 runtime API"},
		{"init without containerd", []plan.TaskID{"cp/hosts", "cp/base", "cp/kernel", "cp/kube-packages"}, "cp/kubeadm-init", "[ERROR CRI]"},
		{"init without the kernel's settings", []plan.TaskID{"cp/hosts", "cp/base", "cp/kube-packages", "cp/containerd"}, "cp/kubeadm-init", "ip_forward contents are not set to 1"},
		{"init without packages", []plan.TaskID{"cp/hosts", "cp/base", "cp/kernel"}, "cp/kubeadm-init", "kubeadm: command not found"},
		{"flannel before the cluster", []plan.TaskID{"cp/hosts", "cp/base", "cp/kernel", "cp/kube-packages", "cp/containerd"}, "cp/cni-flannel", "was refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, pair, "")
			h := fresh(t, e, "cp")
			for _, id := range tt.before {
				if errs, code := step(t, e, h, id); code != 0 {
					t.Fatalf("%s: code %d\n%s", id, code, errs)
				}
			}
			errs, code := step(t, e, h, tt.run)
			if code == 0 || !strings.Contains(errs, tt.says) {
				t.Errorf("%s: code %d, want an error with %q:\n%s", tt.run, code, tt.says, errs)
			}
		})
	}
}

// TestUnsetVariables runs every script without one of the variables it takes: each ends with an error that names it.
func TestUnsetVariables(t *testing.T) {
	for id, name := range map[plan.TaskID]string{
		"cp/hosts": "PODIUM_HOSTS", "cp/base": "PODIUM_ADDRESS", "cp/containerd": "PODIUM_SOURCE", "cp/kube-packages": "PODIUM_KUBERNETES_MINOR",
		"cp/kube-images": "PODIUM_KUBE_ROLE", "cp/kubeadm-init": "PODIUM_USER", "cp/cni-flannel": "PODIUM_FLANNEL_VERSION", "w1/kubeadm-join": "PODIUM_JOIN_ROLE",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, pair, "")
			up(t, e)
			node, _, _ := strings.Cut(string(id), "/")
			h := connect(t, e, node)
			run(t, h, "rm -f /var/lib/podium/kube-member")
			errs, code := step(t, e, h, id, name)
			if code == 0 || !strings.Contains(errs, name+": unbound variable") {
				t.Errorf("%s without %s: code %d\n%s", id, name, code, errs)
			}
		})
	}
}

// A join that was cut off as its kubelet did not run is made again, though the cluster knows the node already.
func TestJoinWithoutKubelet(t *testing.T) {
	e, _ := newEngine(t, pair, "")
	up(t, e)
	const cutOff = "systemctl stop kubelet; rm /var/lib/podium/kube-member /var/lib/podium/steps/kubeadm-join; : >/var/lib/podium/kube-attempt"
	if _, errs, code := run(t, connect(t, e, "w1"), cutOff); code != 0 {
		t.Fatal(errs)
	}
	up(t, e)
	if out, _, code := run(t, connect(t, e, "w1"), "systemctl is-active kubelet"); code != 0 {
		t.Errorf("the kubelet is %s", out)
	}
}

// TestCluster breaks a cluster that is up, in ways that a model must not forgive.
func TestCluster(t *testing.T) {
	for _, tt := range []struct {
		name         string
		node, script string // what is done
		says         string
		code         int
	}{
		{"wrong token", "w1", `kubeadm reset --force >/dev/null; kubeadm join kube-api:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:` + strings.Repeat("0", 64), `could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"`, 1},
		{"malformed token", "w1", `kubeadm reset --force >/dev/null; kubeadm join kube-api:6443 --token short --discovery-token-ca-cert-hash sha256:` + strings.Repeat("0", 64), "the bootstrap token is invalid", 1},
		{"no hash", "w1", `kubeadm reset --force >/dev/null; kubeadm join kube-api:6443 --token abcdef.0123456789abcdef`, "without caCertHashes can be unsafe", 1},
		{"joined already", "w1", `kubeadm join kube-api:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:` + strings.Repeat("0", 64), "kubelet.conf already exists", 1},
		{"no such API server", "w1", `kubeadm reset --force >/dev/null; kubeadm join nowhere:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:` + strings.Repeat("0", 64), "lookup nowhere on 127.0.0.53:53: no such host", 1},
		{"init twice", "cp", `kubeadm init --config /var/lib/podium/kubeadm.yaml`, "[ERROR Port-6443]: Port 6443 is in use", 1},
		{"init as an ordinary user", "cp", `runuser -u vagrant -- kubeadm init`, "user is not running as root", 1},
		{"kubectl without configuration", "w1", `kubectl get nodes`, "localhost:8080 was refused", 1},
		{"no conntrack", "w1", `apt-get remove -y conntrack >/dev/null; kubeadm reset --force >/dev/null; kubeadm join kube-api:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:` + strings.Repeat("0", 64), "[ERROR FileExisting-conntrack]", 1},
		{"an unknown field in the configuration", "cp", `sed 's/clusterName/clusterNmae/' /var/lib/podium/kubeadm.yaml >/tmp/c.yaml; kubeadm init --config /tmp/c.yaml`, "clusterNmae", 1},
		{"an old API version", "cp", `sed 's/v1beta4/v1beta1/' /var/lib/podium/kubeadm.yaml >/tmp/c.yaml; kubeadm init --config /tmp/c.yaml`, "your configuration file uses an old API spec", 1},
		{"held packages", "w1", `apt-get install -y kubelet=1.36.0-1.1`, "Held packages were changed", 100},
		{"a version that is not there", "w1", `apt-get install -y --allow-change-held-packages kubelet=1.99.0-1.1`, "was not found", 100},
		{"a package that is not there", "w1", `apt-get install -y no-such-package`, "Unable to locate package no-such-package", 100},
		{"a key that is not there", "w1", `rm /etc/apt/keyrings/podium-kubernetes.asc; apt-get update`, "NO_PUBKEY", 100},
		{"a source that is malformed", "w1", `echo 'deb http://archive.ubuntu.com/ubuntu' >/etc/apt/sources.list.d/x.list; apt-get update`, "Malformed entry 1", 100},
		{"a unit that is not there", "w1", `systemctl start nosuch`, "Unit nosuch.service not found", 5},
		{"a unit without its program", "w1", `printf '[Service]\nType=notify\nExecStart=/usr/bin/nosuch\n' >/etc/systemd/system/x.service; systemctl start x`, "Job for x.service failed", 1},
		{"a masked unit", "w1", `systemctl mask --now containerd; systemctl start containerd`, "is masked", 1},
		{"a configuration that containerd cannot read", "w1", `echo 'broken' >/etc/containerd/config.toml; systemctl restart containerd`, "Job for containerd.service failed", 1},
		{"an unknown option", "w1", `systemctl --frobnicate start x`, "unrecognized option '--frobnicate'", 1},
		{"a program without a model", "w1", `apt-get install -y jq >/dev/null; jq . </dev/null`, "the simulator has no model of this program (jq)", 126},
		{"a program whose package is missing", "w1", `jq . </dev/null`, "jq: command not found", 127},
		{"a module that no kernel has", "w1", `modprobe nosuch`, "Module nosuch not found", 1},
		{"a setting without its module", "w1", `modprobe -r br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1`, "cannot stat /proc/sys/net/bridge", 1},
		{"without rights", "w1", `runuser -u vagrant -- bash -c 'echo x >/etc/x'`, "Permission denied", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, pair, "")
			up(t, e)
			out, errs, code := run(t, connect(t, e, tt.node), tt.script)
			if code != tt.code || !strings.Contains(out+errs, tt.says) {
				t.Errorf("code %d, want %d and %q:\n%s%s", code, tt.code, tt.says, out, errs)
			}
		})
	}
}

// TestExpiredToken joins with a token whose time is over by the control plane's clock.
func TestExpiredToken(t *testing.T) {
	e, _ := newEngine(t, pair, "")
	up(t, e)
	cp, w := connect(t, e, "cp"), connect(t, e, "w1")
	join, errs, code := run(t, cp, "KUBECONFIG=/etc/kubernetes/admin.conf kubeadm token create --ttl 30m --print-join-command")
	if code != 0 {
		t.Fatal(errs)
	}
	run(t, w, "kubeadm reset --force")
	run(t, cp, "date -s '31 minutes'")
	_, errs, code = run(t, w, join)
	if code != 1 || !strings.Contains(errs, "could not find a JWS signature") {
		t.Errorf("join with an expired token: code %d\n%s", code, errs)
	}
	run(t, cp, "date -s '31 minutes ago'")
	if _, errs, code = run(t, w, join); code != 0 {
		t.Errorf("join with the token while it is good: code %d\n%s", code, errs)
	}
}

// TestReboot reboots nodes: what no file brings back is gone.
func TestReboot(t *testing.T) {
	e, _ := newEngine(t, pair, "")
	up(t, e)
	reboot := func(name string) remote.Host {
		t.Helper()
		h := connect(t, e, name)
		before, _, _ := run(t, h, "cat /proc/sys/kernel/random/boot_id")
		h.Run(t.Context(), remote.Command{Args: []string{"systemctl", "reboot"}, Sudo: true}) //nolint:errcheck // it is cut off
		for range 200 {
			h, err := dialOnce(t, e, name)
			if err == nil {
				if after, _, _ := run(t, h, "cat /proc/sys/kernel/random/boot_id"); after != before {
					return h
				}
				h.Close()
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal(name + " does not come back")
		return nil
	}
	check := func(h remote.Host, script, want string) {
		t.Helper()
		if out, errs, _ := run(t, h, script); strings.TrimSpace(out) != want {
			t.Errorf("%s: %q, want %q (%s)", script, strings.TrimSpace(out), want, errs)
		}
	}
	// A node that has come back is Ready a moment later.
	nodes := func(want string) {
		t.Helper()
		check(connect(t, e, "cp"), `export KUBECONFIG=/etc/kubernetes/admin.conf; for i in {1..400}; do
  got=$(kubectl get nodes --no-headers 2>/dev/null | sed -E 's/ +/ /g' | cut -d' ' -f1,2 | paste -sd,); [[ $got == "`+want+`" ]] && break; sleep 0.05; done; echo "$got"`, want)
	}

	w := connect(t, e, "w1")
	run(t, w, "echo x >/run/x; echo x >/tmp/x; echo x >/root/x; modprobe dummy; sysctl -q -w vm.swappiness=1; ip route add 10.9.0.0/16 via 192.168.56.10; sleep 1000 </dev/null >/dev/null 2>&1 &")
	w = reboot("w1")
	check(w, "ls /run/x /tmp/x /root/x 2>/dev/null", "/root/x")
	check(w, "cat /proc/sys/vm/swappiness; lsmod | grep -c dummy; ip route | grep -c 10.9; pgrep -x sleep | wc -l", "60\n0\n0\n0")
	check(w, "swapon --show; systemctl is-active containerd kubelet; sysctl -n net.ipv4.ip_forward; lsmod | grep -c br_netfilter", "active\nactive\n1\n1")
	nodes("cp Ready,w1 Ready")

	run(t, w, "systemctl disable containerd 2>/dev/null; rm /etc/modules-load.d/podium.conf /etc/sysctl.d/90-podium.conf; rm /etc/systemd/system/swap.img.swap; sed -i 's/^# podium: //' /etc/fstab")
	w = reboot("w1")
	check(w, "systemctl is-active containerd; sysctl -n net.ipv4.ip_forward; lsmod | grep -c br_netfilter; swapon --show --noheadings | wc -l", "inactive\n0\n0\n1")
	nodes("cp Ready,w1 NotReady")

	reboot("cp")
	nodes("cp Ready,w1 NotReady")
}

// TestNotIdempotent runs a script of a lab's own twice that bears it only once.
func TestNotIdempotent(t *testing.T) {
	e, _ := newEngine(t, "name: n\nnodes: [{name: a, cpus: 1, memory: 1GiB}]\n", "")
	up(t, e)
	h := connect(t, e, "a")
	const script = "set -e; useradd -m student; mkdir /srv/data; ln -s /srv/data /data"
	if _, errs, code := run(t, h, script); code != 0 {
		t.Fatal(errs)
	}
	if _, errs, code := run(t, h, script); code != 9 || !strings.Contains(errs, "user 'student' already exists") {
		t.Errorf("the second time: code %d, %s", code, errs)
	}
	if _, errs, code := run(t, h, "mkdir /srv/data"); code != 1 || !strings.Contains(errs, "File exists") {
		t.Errorf("mkdir: code %d, %s", code, errs)
	}
	if _, errs, code := run(t, h, "ln -s /etc/hosts /srv/h; ln -s /etc/hosts /srv/h"); code != 1 || !strings.Contains(errs, "File exists") {
		t.Errorf("ln: code %d, %s", code, errs)
	}
}
