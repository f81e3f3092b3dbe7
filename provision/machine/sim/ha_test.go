package sim_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/scripts"
)

// eventually repeats a command on a node until its output is what is wanted.
func eventually(t *testing.T, h remote.Host, command, want string) {
	t.Helper()
	var out, errs string
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if out, errs, _ = run(t, h, command); strings.TrimSpace(out) == want {
			return
		}
	}
	t.Fatalf("%s: got %q (%s), want %q", command, out, errs, want)
}

const (
	holds = `ip -o -4 address show to 192.168.56.9 | wc -l`
	asks  = `curl -s -k -f -m 2 https://192.168.56.9:8443/readyz`
)

// The virtual address is on one control plane, and on another when that one halts, or cannot serve the API.
func TestVirtualAddressMoves(t *testing.T) {
	t.Parallel()
	e, host := newEngine(t, builtin(t, "k8s-ha"), "")
	up(t, e)
	cp1, cp2, w1 := connect(t, e, "cp1"), connect(t, e, "cp2"), connect(t, e, "w1")
	eventually(t, cp1, holds, "1")
	eventually(t, cp2, holds, "0")
	eventually(t, w1, asks, "ok")

	if _, errs, code := run(t, cp1, "systemctl stop haproxy"); code != 0 {
		t.Fatal(errs)
	}
	eventually(t, cp2, holds, "1")
	eventually(t, cp1, holds, "0")
	eventually(t, w1, asks, "ok")
	if _, errs, code := run(t, cp1, "systemctl start haproxy"); code != 0 {
		t.Fatal(errs)
	}
	eventually(t, cp1, holds, "1")

	if err := host.Halt(t.Context(), "cp1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, cp2, holds, "1")
	eventually(t, w1, asks, "ok")
	eventually(t, w1, `kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node w1 --no-headers | wc -l`, "1")
	eventually(t, cp2, `kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers | grep -c -w Ready`, "4")

	// One member of three is no majority.
	if err := host.Halt(t.Context(), "cp2"); err != nil {
		t.Fatal(err)
	}
	eventually(t, w1, asks+` >/dev/null 2>&1 || echo none`, "none")

	if ran := up(t, e); len(ran) != 2 || !slices.Equal(ran, []string{"cp1/boot", "cp2/boot"}) {
		t.Errorf("up after two halted ran %q", ran)
	}
	eventually(t, w1, asks, "ok")
	eventually(t, connect(t, e, "cp1"), holds, "1")
}

// A lab with one control plane gets two more: the API's name moves to a virtual address, certificates and
// configurations follow, and workers stay in the cluster.
func TestOneControlPlaneBecomesThree(t *testing.T) {
	t.Parallel()
	const text = `
name: grow
nodes:
  - {name: cp, count: %d, roles: [control-plane], address: 192.168.56.10}
  - {name: w, roles: [worker], address: 192.168.56.20}
kubernetes: {}
`
	e, _ := newEngine(t, fmt.Sprintf(text, 1), "")
	up(t, e)
	w := connect(t, e, "w")
	eventually(t, w, "grep -o 'https://kube-api.*' /etc/kubernetes/kubelet.conf", "https://kube-api:6443")

	file := filepath.Join(t.TempDir(), "lab.yaml")
	write(t, file, fmt.Sprintf(text, 3))
	l, err := lab.LoadWith(file, lab.LoadOptions{Provider: lab.ProviderSim})
	if err != nil {
		t.Fatal(err)
	}
	if e.Plan, err = plan.Build(l, scripts.Guest(), nil); err != nil {
		t.Fatal(err)
	}
	up(t, e)
	if ran := up(t, e); len(ran) > 0 {
		t.Errorf("a further up ran %q", ran)
	}

	eventually(t, w, "grep -o 'https://kube-api.*' /etc/kubernetes/kubelet.conf", "https://kube-api:8443")
	eventually(t, w, asks, "ok")
	for _, name := range []string{"cp1", "cp2", "cp3"} {
		h := connect(t, e, name)
		eventually(t, h, "openssl x509 -in /etc/kubernetes/pki/apiserver.crt -noout -ext subjectAltName | grep -c 'IP Address:192.168.56.9'", "1")
		eventually(t, h, "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers | grep -c -w Ready", "4")
		for _, where := range []string{"kube-public configmap cluster-info", "kube-system configmap kube-proxy", "kube-system configmap kubeadm-config"} {
			eventually(t, h, "kubectl --kubeconfig /etc/kubernetes/admin.conf get -o yaml -n "+where+" | grep -c -e 'https://kube-api:8443' -e 'controlPlaneEndpoint: kube-api:8443'", "1")
		}
	}
}

const etcdctl = `. /etc/profile.d/podium-etcd.sh; etcdctl `

// A lab with etcd on machines of its own: its clients need a certificate, one member may stop, a machine that is made
// again becomes a member again, and no key is kept where it does not belong.
func TestExternalEtcd(t *testing.T) {
	t.Parallel()
	e, host := newEngine(t, builtin(t, "k8s-external-etcd"), "")
	up(t, e)
	etcd1, cp1, w1 := connect(t, e, "etcd1"), connect(t, e, "cp1"), connect(t, e, "w1")
	const nodes = `kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers | grep -c -w Ready`
	eventually(t, cp1, nodes, "3")
	eventually(t, cp1, `ls /etc/kubernetes/manifests | grep -c etcd`, "0")
	eventually(t, etcd1, etcdctl+`member list | grep -c started`, "3")
	eventually(t, etcd1, etcdctl+`get --prefix /registry/minions | wc -l`, "3")

	if _, errs, code := run(t, w1, `curl -sS -k https://192.168.56.21:2379/health`); code != 56 || !strings.Contains(errs, "certificate required") {
		t.Errorf("etcd lets a client without a certificate in: code %d, %s", code, errs)
	}
	eventually(t, cp1, `cd /etc/kubernetes/etcd; curl -s --cacert ca.crt --cert client.crt --key client.key https://192.168.56.21:2379/health`, `{"health":"true","reason":""}`)

	if err := host.Halt(t.Context(), "etcd2"); err != nil {
		t.Fatal(err)
	}
	eventually(t, cp1, nodes, "3")
	if err := host.Halt(t.Context(), "etcd3"); err != nil {
		t.Fatal(err)
	}
	eventually(t, w1, asks+` >/dev/null 2>&1 || echo none`, "none")
	if ran := up(t, e); len(ran) != 2 {
		t.Errorf("up after two halted ran %q", ran)
	}
	eventually(t, cp1, nodes, "3")

	// A recreated machine: its member is there already, and has no data.
	if err := host.Destroy(t.Context(), "etcd3"); err != nil {
		t.Fatal(err)
	}
	up(t, e)
	eventually(t, etcd1, etcdctl+`member list | grep -c started`, "3")
	eventually(t, connect(t, e, "etcd3"), `cat /etc/etcd/bootstrap.env | grep STATE`, "ETCD_INITIAL_CLUSTER_STATE=existing")
	eventually(t, cp1, nodes, "3")

	// What all etcd members lost together comes back with them.
	for _, name := range []string{"etcd1", "etcd2", "etcd3"} {
		if err := host.Halt(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	up(t, e)
	eventually(t, cp1, nodes, "3")

	etcd1 = connect(t, e, "etcd1") // it was halted
	key, _, _ := run(t, cp1, `sed -n 2p /etc/kubernetes/etcd/client.key`)
	if key = strings.TrimSpace(key); len(key) < 40 {
		t.Fatalf("the key begins with %q", key)
	}
	encoded, _, _ := run(t, etcd1, `tar --create --directory /var/lib/podium/etcd-ca/issued/cp1-client ./client.key | base64 --wrap 0 | cut -c 1-400`)
	err := filepath.WalkDir(e.Dir.Path(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), key) || encoded != "" && strings.Contains(string(text), encoded[300:400]) {
			t.Errorf("%s holds a key of etcd", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A cluster whose first control plane was cut off in the middle of kubeadm init, its objects in etcd already, is made
// all the same; one whose control planes are gone is not written over.
func TestExternalEtcdHoldsAnotherCluster(t *testing.T) {
	t.Parallel()
	e, host := newEngine(t, `
name: one
nodes:
  - {name: db, roles: [etcd]}
  - {name: cp1, roles: [control-plane]}
kubernetes: {etcd: external}
`, "")
	up(t, e)
	cp1 := connect(t, e, "cp1")
	if _, errs, code := run(t, cp1, `rm -f /var/lib/podium/kube-member /var/lib/podium/steps/kubeadm-init; : >/var/lib/podium/kube-attempt; rm -f /etc/kubernetes/admin.conf`); code != 0 {
		t.Fatal(errs)
	}
	s, err := e.Up(t.Context(), engine.UpOptions{Force: []string{"cp1/kubeadm-init"}})
	for _, task := range s.Tasks {
		if task.ID == "cp1/kubeadm-init" && task.Outcome != engine.Done {
			t.Fatalf("kubeadm-init after it was cut off: %s, %v", task.Outcome, err)
		}
	}
	log, err := os.ReadFile(e.Dir.Path("logs", "cp1", "kubeadm-init.log"))
	if err != nil || !strings.Contains(string(log), "removing what the attempt has left in etcd") {
		t.Errorf("%v: the log does not tell that etcd was emptied:\n%s", err, log)
	}

	if err := host.Destroy(t.Context(), "cp1"); err != nil {
		t.Fatal(err)
	}
	if _, err = e.Up(t.Context(), engine.UpOptions{}); err == nil {
		t.Fatal("a cluster was made over another one's data")
	}
	if log, err = os.ReadFile(e.Dir.Path("logs", "cp1", "kubeadm-init.log")); err != nil || !strings.Contains(string(log), "whose control planes are gone") {
		t.Errorf("%v: %s", err, log)
	}
}
