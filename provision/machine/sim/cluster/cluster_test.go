package cluster

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

func TestClusterComesUp(t *testing.T) {
	l := newLab(t)
	cp, w := l.cluster(3)
	nodes := l.ok(cp, "kubectl get nodes -o wide --no-headers")
	for _, want := range []string{`(?m)^cp +Ready +control-plane +\S+ +v1.36.3 +192.168.56.10 `, `(?m)^w1 +Ready +<none> +\S+ +v1.36.3 +192.168.56.11 .*containerd://2.2.1$`, `(?m)^w3 +Ready `} {
		if !regexp.MustCompile(want).MatchString(nodes) {
			t.Errorf("get nodes: no %s in\n%s", want, nodes)
		}
	}
	steps := []struct{ script, want string }{
		{"kubectl --namespace kube-system get deployment coredns --output 'jsonpath={.status.availableReplicas}'", "2"},
		{"kubectl get --raw /readyz", "ok"},
		{"kubectl get node w1 -o 'jsonpath={.spec.podCIDR}'", "10.244.1.0/24"},
		{"kubectl get nodes -o name", "node/cp\nnode/w1\nnode/w2\nnode/w3\n"},
		{"kubectl label node w1 w2 node-role.kubernetes.io/worker= --overwrite", "node/w1 labeled\nnode/w2 labeled\n"},
		{`kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}'`, "cp=True\nw1=True\nw2=True\nw3=True\n"},
		{"kubectl wait --for=condition=Ready node --all --timeout=1s | tail -n 1", "node/w3 condition met\n"},
		{"kubectl create deployment web --image=nginx:1.29 --replicas=3", "deployment.apps/web created\n"},
		{"kubectl rollout status deployment/web --timeout=5s", "deployment \"web\" successfully rolled out\n"},
		{"kubectl scale deployment web --replicas=5; kubectl get deployment web --no-headers | cut -c 1-9", "deployment.apps/web scaled\nweb   5/5\n"},
		{"kubectl get pods -o wide --no-headers | grep -c ' cp '; true", "0\n"},
		{"kubectl delete pod $(kubectl get pods -o name | head -n 1 | cut -d / -f 2) >/dev/null; kubectl get pods --no-headers | grep -c Running", "5\n"},
		{"kubectl cordon w1; kubectl get node w1 --no-headers | cut -c 1-29", "node/w1 cordoned\nw1   Ready,SchedulingDisabled"},
		{"kubectl drain w2 --ignore-daemonsets >/dev/null 2>&1; kubectl get pods -o wide --no-headers | grep -c ' w2 '; true", "0\n"},
		{"kubectl uncordon w1 w2", "node/w1 uncordoned\nnode/w2 uncordoned\n"},
		{"kubectl set image deployment/web nginx=nginx:1.30; kubectl rollout status deployment web", "deployment.apps/web image updated\ndeployment \"web\" successfully rolled out\n"},
		{"kubectl delete deployment web; kubectl get pods", "deployment.apps \"web\" deleted from default namespace\nNo resources found in default namespace.\n"},
		{"kubectl version", "Client Version: v1.36.3\nKustomize Version: v5.7.1\nServer Version: v1.36.3\n"},
	}
	for _, s := range steps {
		if out := l.ok(cp, s.script); strings.TrimRight(out, "\n") != strings.TrimRight(s.want, "\n") {
			t.Errorf("%s\n got %q\nwant %q", s.script, out, s.want)
		}
	}
	l.fails(cp, "kubectl get node w9", `Error from server (NotFound): nodes "w9" not found`)
	l.fails(cp, "kubectl get nodes --frobnicate", "kubectl get: unrecognized option '--frobnicate'")
	l.fails(cp, "kubectl frobnicate", `error: unknown command "frobnicate" for "kubectl"`)
	l.ok(w[0], "kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node w1")
	l.fails(w[0], "kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node w2", `nodes "w2" is forbidden: User "system:node:w1" cannot get`)
	l.fails(w[0], "kubectl get nodes", "The connection to the server localhost:8080 was refused")
	hash := strings.TrimSpace(l.ok(cp, "openssl x509 -in /etc/kubernetes/pki/ca.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1"))
	if join := l.ok(cp, "kubeadm token create --print-join-command"); !strings.Contains(join, "--discovery-token-ca-cert-hash sha256:"+hash) {
		t.Errorf("the hash of the CA by openssl is %s, but kubeadm says %s", hash, join)
	}
}

func TestPreflight(t *testing.T) {
	tests := []struct{ name, before, want string }{
		{"br_netfilter is not loaded", "echo overlay >/etc/modules", "[ERROR FileContent--proc-sys-net-bridge-bridge-nf-call-iptables]: /proc/sys/net/bridge/bridge-nf-call-iptables does not exist"},
		{"forwarding is off", "echo net.bridge.bridge-nf-call-iptables=1 >/etc/sysctl", "[ERROR FileContent--proc-sys-net-ipv4-ip_forward]: /proc/sys/net/ipv4/ip_forward contents are not set to 1"},
		{"swap is on", ": >/etc/swap", "The kubelet is not healthy after 4m0s"},
		{"the plugin cri is off", "echo 'disabled_plugins = [\"cri\"]' >/etc/containerd/config.toml", "[ERROR CRI]: could not connect to the container runtime: failed to create new CRI runtime service: validate CRI v1 runtime API for endpoint \"unix:///run/containerd/containerd.sock\": rpc error: code = Unimplemented"},
		{"cgroups are cgroupfs", "rm /etc/containerd/config.toml", "The kubelet is not healthy after 4m0s"},
		{"containerd is not enabled", "systemctl disable containerd", "connect: no such file or directory"},
		{"files of an earlier init", "mkdir -p /etc/kubernetes/manifests; : >/etc/kubernetes/manifests/etcd.yaml", "[ERROR FileAvailable--etc-kubernetes-manifests-etcd.yaml]: /etc/kubernetes/manifests/etcd.yaml already exists"},
		{"data of an earlier init", "mkdir -p /var/lib/etcd/member", "[ERROR DirAvailable--var-lib-etcd]: /var/lib/etcd is not empty"},
		{"conntrack is missing", "rm /usr/bin/conntrack", "[ERROR FileExisting-conntrack]: conntrack not found in system path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			m := l.add("cp", "192.168.56.10")
			l.ok(m, tt.before)
			l.reboot(m)
			l.fails(m, initCommand, tt.want)
		})
	}
	l := newLab(t)
	m := l.add("cp", "192.168.56.10")
	m.Hardware.CPUs, m.Hardware.Memory = 1, 1<<30
	l.fails(m, initCommand, "[ERROR NumCPU]: the number of available CPUs 1 is less than the required 2\n\t[ERROR Mem]: the system RAM (1073 MB) is less than the minimum 1700 MB")
	l.fails(m, "kubeadm init --config x.yaml", "open x.yaml: no such file or directory")
	l.fails(m, "printf 'apiVersion: kubeadm.k8s.io/v1beta4\\nkind: InitConfiguration\\nlocalApiEndpoint: {}\\n' >x.yaml; kubeadm init --config x.yaml", `strict decoding error: unknown field "localApiEndpoint"`)
	l.fails(m, "printf 'apiVersion: kubeadm.k8s.io/v1beta2\\nkind: InitConfiguration\\n' >x.yaml; kubeadm init --config x.yaml", "your configuration file uses an old API spec")
	l.fails(m, "kubeadm init --kubernetes-version v1.30.1", "this version of kubeadm only supports deploying clusters with the control plane version >= 1.35.0")
	out, code := l.as(m, vfs.Cred{UID: 1000, GID: 1000}, "/home/lab", initCommand)
	if code == 0 || !strings.Contains(out, "[ERROR IsPrivilegedUser]: user is not running as root") {
		t.Errorf("kubeadm init by a user: %s", out)
	}
}

func TestInitTwice(t *testing.T) {
	l := newLab(t)
	cp, _ := l.cluster(0)
	l.fails(cp, initCommand, "[ERROR Port-6443]: Port 6443 is in use")
	l.ok(cp, "kubeadm reset -f", initCommand)
}

func TestJoin(t *testing.T) {
	l := newLab(t)
	cp, _ := l.cluster(0)
	w := l.add("w1", "192.168.56.11")
	join := strings.TrimSpace(l.ok(cp, "kubeadm token create --ttl 30m --print-join-command"))
	hash := join[strings.LastIndex(join, "sha256:"):]
	token := strings.Fields(join)[4]

	l.fails(w, "kubeadm join kube-api:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash "+hash, `could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"`)
	l.fails(w, "kubeadm join kube-api:6443 --token "+token[:7]+"0123456789abcdef --discovery-token-ca-cert-hash "+hash, "failed to verify JWS signature of received cluster info object, can't trust this API Server")
	l.fails(w, strings.Replace(join, hash, "sha256:"+strings.Repeat("0", 64), 1), "cluster CA found in cluster-info ConfigMap is invalid: none of the public keys")
	l.fails(w, "kubeadm join kube-api:6443 --token "+token, "using token-based discovery without caCertHashes can be unsafe")
	l.fails(w, strings.Replace(join, "kube-api", "nowhere", 1), "lookup nowhere on 127.0.0.53:53: no such host")
	l.fails(w, strings.Replace(join, "kube-api", "192.168.56.99", 1), "dial tcp 192.168.56.99:6443: connect: no route to host")
	cp.Halt()
	l.fails(w, join, "dial tcp 192.168.56.10:6443: connect: no route to host")
	l.start(cp)
	l.waitReady(cp)
	l.pass(31 * time.Minute)
	l.fails(w, join, `could not find a JWS signature in the cluster-info ConfigMap for token ID "`+token[:6]+`"`)
	join = l.ok(cp, "kubeadm token create --print-join-command")
	l.ok(w, join)
	l.fails(w, join, "[ERROR FileAvailable--etc-kubernetes-kubelet.conf]: /etc/kubernetes/kubelet.conf already exists")
	l.fails(w, join, "[ERROR Port-10250]: Port 10250 is in use")
	l.fails(cp, "kubeadm token create abc", "was not of the form")
}

// waitReady waits for the API server of a machine that has booted.
func (l *testLab) waitReady(m *guest.Machine) {
	l.t.Helper()
	for range 5000 {
		if _, code := l.run(m, "kubectl get --raw /readyz"); code == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.t.Fatal("the API server does not come back")
}

func TestReboot(t *testing.T) {
	l := newLab(t)
	cp, w := l.cluster(2)
	l.ok(cp, "kubectl create deployment web --image=nginx")
	img, img1 := cp.FS.Image(), w[0].FS.Image()
	l.reboot(w[0])
	l.waitStatus(cp, "w1", "Ready")

	l.ok(w[0], "systemctl disable kubelet")
	l.reboot(w[0])
	l.waitStatus(cp, "w1", "NotReady")
	l.ok(w[0], "systemctl start kubelet")
	l.waitStatus(cp, "w1", "Ready")
	l.ok(w[0], "systemctl enable kubelet; : >/etc/swap")
	l.reboot(w[0])
	l.waitStatus(cp, "w1", "NotReady")

	// Swap does not matter to containerd; without containerd the kubelet does not come up.
	l.ok(w[1], "systemctl disable containerd")
	l.reboot(w[1])
	l.waitStatus(cp, "w2", "NotReady")

	l.ok(cp, "kubectl delete deployment web")
	for _, m := range l.machines {
		m.Halt()
	}
	cp.FS, w[0].FS = img.Open(l.now), img1.Open(l.now)
	l.start(cp)
	l.start(w[0])
	l.waitReady(cp)
	l.waitStatus(cp, "w1", "Ready")
	l.ok(cp, "kubectl get deployment web")
}

// waitStatus waits until a node shows a status.
func (l *testLab) waitStatus(cp *guest.Machine, node, want string) {
	l.t.Helper()
	out := ""
	for range 5000 {
		out, _ = l.run(cp, "kubectl get node "+node+" --no-headers")
		if f := strings.Fields(out); len(f) > 1 && f[1] == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.t.Fatalf("%s does not become %s: %s", node, want, out)
}

func TestNATAddress(t *testing.T) {
	l := newLab(t)
	cp, _ := l.cluster(0)
	w := l.add("w1", "192.168.56.11")
	l.ok(w, "rm /etc/default/kubelet", l.ok(cp, "kubeadm token create --print-join-command"))
	if out := l.ok(cp, "kubectl get node w1 -o wide --no-headers"); !strings.Contains(out, " 10.0.2.15 ") {
		t.Errorf("without --node-ip the kubelet takes the NAT card's address: %s", out)
	}
}

func TestNetworkOfPods(t *testing.T) {
	l := newLab(t)
	cp := l.add("cp", "192.168.56.10")
	l.ok(cp, initCommand, "mkdir -p .kube; cp /etc/kubernetes/admin.conf .kube/config")
	l.waitStatus(cp, "cp", "NotReady")
	if out := l.ok(cp, "kubectl describe node cp"); !strings.Contains(out, "cni plugin not initialized") {
		t.Errorf("describe does not say why the node is not ready:\n%s", out)
	}
	l.ok(cp, "mkdir -p /etc/cni/net.d; echo '{\"plugins\": [{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\"}}]}' >/etc/cni/net.d/10-podium.conflist")
	l.waitStatus(cp, "cp", "Ready")
	l.ok(cp, "rm /opt/cni/bin/bridge")
	if out := l.ok(cp, "kubectl describe pod -n kube-system"); !strings.Contains(out, `failed to find plugin "bridge" in path [/opt/cni/bin]`) {
		t.Errorf("describe does not say why CoreDNS does not run:\n%s", out)
	}
}

func TestControlPlanes(t *testing.T) {
	l := newLab(t)
	cp, _ := l.cluster(0)
	join := strings.TrimSpace(l.ok(cp, "kubeadm token create --print-join-command"))
	more := []*guest.Machine{}
	for i, name := range []string{"cp2", "cp3"} {
		m := l.add(name, "192.168.56.2"+string(rune('0'+i)))
		l.fails(m, join+" --control-plane --apiserver-advertise-address="+m.Hardware.Address+" --certificate-key "+strings.Repeat("0", 64),
			map[bool]string{true: `Secret "kubeadm-certs" was not found`, false: "cipher: message authentication failed"}[i == 0])
		key := l.ok(cp, "kubeadm init phase upload-certs --upload-certs | tail -n 1")
		l.ok(m, "kubeadm reset -f", join+" --control-plane --apiserver-advertise-address="+m.Hardware.Address+" --certificate-key "+key)
		more = append(more, m)
	}
	l.ok(more[0], "mkdir -p .kube; sed s/kube-api/192.168.56.20/ /etc/kubernetes/admin.conf >.kube/config")
	if out := l.ok(more[0], "kubectl get nodes --no-headers | grep -c control-plane"); out != "3\n" {
		t.Errorf("%s control planes", out)
	}
	cp.Halt()
	l.ok(more[0], "kubectl create namespace one")
	more[1].Halt()
	l.fails(more[0], "kubectl create namespace two", "etcdserver")
	l.start(cp)
	l.waitReady(cp)
	l.ok(more[0], "kubectl get namespace one")
	l.ok(cp, "kubectl get namespace one")
}

func TestClock(t *testing.T) {
	l := newLab(t)
	cp, _ := l.cluster(0)
	w := l.add("w1", "192.168.56.11")
	join := l.ok(cp, "kubeadm token create --print-join-command")
	w.Kernel().SetClock(l.now().Add(-26 * time.Hour))
	l.fails(w, join, "x509: certificate has expired or is not yet valid: current time 2026-11-19T10:00:00Z is before")
	l.pass(400 * 24 * time.Hour)
	l.fails(cp, "kubectl get nodes", "certificate has expired or is not yet valid")
	l.ok(cp, "kubeadm certs renew all")
	if out := l.ok(cp, "kubeadm certs check-expiration"); strings.Contains(out, "<invalid>") {
		t.Errorf("renewed certificates are invalid:\n%s", out)
	}
}
