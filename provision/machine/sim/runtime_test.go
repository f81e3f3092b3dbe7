package sim_test

import (
	"os"
	"strings"
	"testing"

	"podium/provision/engine"
	"podium/provision/lab"
	"podium/provision/plan"
	"podium/scripts"
)

// otherLabs are labs with what no built-in one asks for, by name.
func otherLabs() map[string]string {
	const nodes = "nodes: [{name: cp, roles: [control-plane]}, {name: w, roles: [worker]}]\n"
	return map[string]string{
		"docker-runtime": "name: engine\n" + nodes + "runtime: docker\nkubernetes: {}\n" +
			"mirrors: {registry: 'http://10.9.8.7:5000', registries: {docker.io: 'http://10.9.8.7:5001'}}\n",
		"docker-runtime-debian": "name: engine\nbox: debian/bookworm64\nsource: distro\n" + nodes + "runtime: docker\nkubernetes: {}\n",
		"cri-o":                 "name: crio\n" + nodes + "runtime: cri-o\nkubernetes: {version: '1.35'}\n",
		"cri-o-mirrors": "name: crio\n" + nodes + "runtime: cri-o\nkubernetes: {cni: bridge}\n" +
			"mirrors: {cri_o: 'http://mirror.test/cri-o', registry: 'http://10.9.8.7:5000', registries: {ghcr.io: 'http://10.9.8.7:5001'}}\n",
		"calico":                   "name: calico\n" + nodes + "kubernetes: {cni: calico, pod_subnet: 10.42.0.0/16}\n",
		"cilium":                   "name: cilium\n" + nodes + "kubernetes: {cni: cilium}\nmirrors: {github: 'http://mirror.test/github', helm: 'http://mirror.test/helm'}\n",
		"docker-beside-containerd": "name: both\nnodes: [{name: cp, roles: [control-plane]}, {name: w, roles: [worker, docker]}]\nkubernetes: {}\n",
	}
}

// Each runtime says of itself what nodes report.
func TestRuntimes(t *testing.T) {
	for name, want := range map[string]string{
		"docker-runtime": "docker://29.", "docker-runtime-debian": "docker://20.10", "cri-o": "cri-o://1.35.", "docker-beside-containerd": "containerd://2.",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, otherLabs()[name], "")
			up(t, e)
			out, errs, code := run(t, connect(t, e, "cp"), "kubectl get nodes --output wide --no-headers")
			if code != 0 || strings.Count(out, " Ready ") != 2 || strings.Count(out, " "+want) != 2 {
				t.Errorf("nodes that are not Ready with %s: code %d\n%s%s", want, code, out, errs)
			}
		})
	}
}

// Every node is Ready by the pod network, with the private card's address where the network's daemon has a choice.
func TestPodNetworks(t *testing.T) {
	for name, want := range map[string][]string{
		"calico": {"192.168.56.10 192.168.56.11", "10-calico.conflist", "calico-node"},
		"cilium": {"", "05-cilium.conflist", "cilium-operator"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, otherLabs()[name], "")
			up(t, e)
			h := connect(t, e, "cp")
			out, errs, code := run(t, h, `kubectl get nodes -o 'jsonpath={.items[*].metadata.annotations.projectcalico\.org/IPv4Address}'; echo; ls /etc/cni/net.d; kubectl get pods -A; kubectl get nodes`)
			if code != 0 || strings.Count(out, " Ready ") != 2 {
				t.Errorf("not both nodes are Ready: code %d\n%s%s", code, out, errs)
			}
			for _, w := range want {
				if !strings.Contains(out, w) {
					t.Errorf("%q is not in\n%s%s", w, out, errs)
				}
			}
		})
	}
}

// A cluster keeps its pod network; the message says which it is and what to do.
func TestPodNetworkStays(t *testing.T) {
	e, _ := newEngine(t, pair, "")
	up(t, e)
	h := connect(t, e, "cp")
	for cni, id := range map[string]plan.TaskID{"calico": "cp/cni-calico", "cilium": "cp/cni-cilium", "bridge": "cp/cni-bridge"} {
		planOf(t, e, strings.Replace(pair, "cni: flannel", "cni: "+cni, 1))
		said, code := step(t, e, h, id)
		if code != 1 || !strings.Contains(said, "has the pod network flannel") || !strings.Contains(said, "lab.yaml asks for kubernetes.cni: "+cni) || !strings.Contains(said, "podium destroy") {
			t.Errorf("%s in a cluster with flannel: code %d\n%s", cni, code, said)
		}
	}
}

// Cilium is refused on a kernel that is too old for it, before anything is installed.
func TestOldKernel(t *testing.T) {
	e, _ := newEngine(t, otherLabs()["cilium"], "")
	for _, task := range e.Plan.Tasks {
		if task.ID == "cp/kernel" {
			if got := task.Vars["PODIUM_KERNEL_LEAST"]; got != "5.10" {
				t.Fatalf("PODIUM_KERNEL_LEAST is %q", got)
			}
			task.Vars["PODIUM_KERNEL_LEAST"] = "9.1"
		}
	}
	said, code := step(t, e, fresh(t, e, "cp"), "cp/kernel")
	if code != 1 || !strings.Contains(said, "needs 9.1 or later") {
		t.Errorf("code %d\n%s", code, said)
	}
}

// What another registry than docker.io has comes from its mirror all the same, under its own name.
func TestDockerMirrors(t *testing.T) {
	e, _ := newEngine(t, otherLabs()["docker-runtime"], "")
	up(t, e)
	out, _, _ := run(t, connect(t, e, "w"), "docker images; cat /etc/docker/daemon.json")
	for _, want := range []string{"registry.k8s.io/kube-proxy:v1.36", `"registry-mirrors": ["http://10.9.8.7:5001"]`, `"insecure-registries": ["10.9.8.7:5001", "10.9.8.7:5000"]`} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, "10.9.8.7:5000/") {
		t.Errorf("images kept the mirror's name:\n%s", out)
	}
}

// Several images are pulled, tagged and untagged at a time, as kube-images.sh does it: none is lost, none stays.
func TestDockerImagesTogether(t *testing.T) {
	e, _ := newEngine(t, otherLabs()["docker-runtime"], "")
	up(t, e)
	out, errs, code := run(t, connect(t, e, "w"), `for i in {1..40}; do
		(docker pull --quiet "busybox:$i" && docker tag "busybox:$i" "own/busybox:$i" && docker rmi "busybox:$i") >/dev/null &
	done
	wait
	docker images`)
	if code != 0 || strings.Count(out, "docker.io/own/busybox:") != 40 || strings.Contains(out, "library/busybox") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

// planOf replaces the plan of an engine by that of another description of the same machines.
func planOf(t *testing.T, e *engine.Engine, text string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/lab.yaml", text)
	l, err := lab.LoadWith(dir, lab.LoadOptions{Provider: lab.ProviderSim})
	if err != nil {
		t.Fatal(err)
	}
	if e.Plan, err = plan.Build(l, scripts.Guest(), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
}

// A node of a cluster keeps its runtime; the message says which it is and what to do.
func TestRuntimeStays(t *testing.T) {
	e, _ := newEngine(t, pair, "")
	up(t, e)
	h := connect(t, e, "w1")
	planOf(t, e, pair+"runtime: cri-o\n")
	said, code := step(t, e, h, "w1/cri-o")
	if code != 1 || !strings.Contains(said, "w1 is in a cluster with the runtime containerd, and lab.yaml asks for runtime: cri-o") || !strings.Contains(said, "podium destroy") {
		t.Errorf("cri-o on a node of a cluster with containerd: code %d\n%s", code, said)
	}
	planOf(t, e, pair+"runtime: docker\n")
	if said, code := step(t, e, h, "w1/docker"); code != 1 || !strings.Contains(said, "lab.yaml asks for runtime: docker") {
		t.Errorf("docker on a node of a cluster with containerd: code %d\n%s", code, said)
	}
	if _, _, code := run(t, h, "test ! -e /usr/bin/dockerd && test ! -e /usr/bin/crio"); code != 0 {
		t.Error("something was installed before it was refused")
	}
}

// Another minor version of Kubernetes brings its CRI-O, and that one runs.
func TestCRIOFollowsKubernetes(t *testing.T) {
	text := otherLabs()["cri-o"]
	e, _ := newEngine(t, text, "")
	up(t, e)
	h := connect(t, e, "w")
	planOf(t, e, strings.Replace(text, "1.35", "1.36", 1))
	said, code := step(t, e, h, "w/cri-o")
	if code != 0 || !strings.Contains(said, "restarting crio.service") {
		t.Errorf("cri-o of another minor version: code %d\n%s", code, said)
	}
	if out, errs, _ := run(t, h, "crictl version"); !strings.Contains(out, "RuntimeVersion:  1.36.") {
		t.Errorf("what runs is not the new one:\n%s%s", out, errs)
	}
}
