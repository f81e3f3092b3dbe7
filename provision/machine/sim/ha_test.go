package sim_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
