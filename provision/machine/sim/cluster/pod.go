package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// podRun is a pod on a node since the node's boot.
type podRun struct {
	since   time.Time
	ready   bool
	status  string // as kubectl shows it: Running, ContainerCreating, ImagePullBackOff, ...
	message string
	ip      string
	pod     object
}

// container is one of a pod, for crictl.
type container struct{ namespace, pod, name, image string }

// containers lists what runs on the machine.
func (s *kubeletState) containers() []container {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []container
	if s.api != nil && s.api.live() {
		for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
			if name != "etcd" || !s.api.external {
				list = append(list, container{kubeSystem, name + "-" + s.api.node, name, name})
			}
		}
	}
	for id, run := range s.pods {
		if !run.ready {
			continue
		}
		for _, c := range items(run.pod, "spec", "containers") {
			list = append(list, container{id.namespace, id.name, text(c, "name"), text(c, "image")})
		}
	}
	return list
}

// sync runs the node's pods of daemon sets, which make the node ready.
func (k *kubelet) sync(s *store) {
	for _, ds := range s.list("daemonsets", "") {
		id := daemonPod(ds, k.name)
		if pod := s.get(id); pod != nil {
			k.run(s, id, pod)
		}
	}
}

// run has the kubelet try to run a pod, unless it runs already, and says how it is.
func (k *kubelet) run(s *store, id key, pod object) podRun {
	k.state.mu.Lock()
	defer k.state.mu.Unlock()
	r := k.state.pods[id]
	if r == nil {
		r = &podRun{since: k.kernel.Clock(), pod: pod}
		k.state.pods[id] = r
	}
	if !r.ready {
		r.status, r.message = k.start(s, pod, r)
		r.ready = r.status == "Running"
	}
	return *r
}

// start does what it takes to run a pod; the status is Running when nothing stood in the way.
func (k *kubelet) start(s *store, pod object, r *podRun) (status, message string) {
	m := k.kernel.Machine
	rt := k.runtime()
	if !rt.running {
		return "ContainerCreating", "container runtime is down"
	}
	if text(pod, "metadata", "annotations", "kubernetes.io/config.source") == "file" {
		r.ip = k.address // a static pod: it runs when the API server does
		return "Running", ""
	}
	ctx := k.kernel.Context()
	if err := pull(ctx, m, rt.images, rt.sandbox); err != nil {
		return "ContainerCreating", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image: " + err.Error()
	}
	if at(pod, "spec", "hostNetwork") == true {
		r.ip = k.address
	} else {
		if err := missingPlugin(m, rt); err != nil {
			return "ContainerCreating", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: plugin type: " + err.Error()
		}
		if r.ip == "" {
			r.ip = k.nextIP(s)
		}
	}
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range items(pod, "spec", list) {
			if err := pull(ctx, m, rt.images, text(c, "image")); err != nil {
				return "ImagePullBackOff", err.Error()
			}
			if list == "containers" {
				if err := k.networkDaemon(s, text(pod, "metadata", "namespace"), c); err != nil {
					return "CrashLoopBackOff", err.Error()
				}
			}
		}
	}
	return "Running", ""
}

// nextIP is an address for a pod on this node.
func (k *kubelet) nextIP(s *store) string {
	cidr := k.podCIDR
	if cidr == "" {
		cidr = text(s.get(key{"nodes", "", k.name}), "spec", "podCIDR")
	}
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return ""
	}
	b := prefix.Masked().Addr().As4()
	k.state.next++
	return fmt.Sprintf("%d.%d.%d.%d", b[0], b[1], int(b[2])+k.state.next/250, 1+k.state.next%250)
}

// flannel is what flannel's container does on a node: it finds its card and its range, and configures the pod network
// (https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md).
func (k *kubelet) flannel(s *store, namespace string, c any) error {
	m := k.kernel.Machine
	var conf struct{ Network string }
	cfg := s.get(key{"configmaps", namespace, "kube-flannel-cfg"})
	if cfg == nil || json.Unmarshal([]byte(text(cfg, "data", "net-conf.json")), &conf) != nil {
		return says("Error from kubelet: configmap \"kube-flannel-cfg\" not found")
	}
	if !k.kernel.HasModule("br_netfilter") {
		return says("Failed to check br_netfilter: stat /proc/sys/net/bridge/bridge-nf-call-iptables: no such file or directory")
	}
	node := s.get(key{"nodes", "", k.name})
	cidr := text(node, "spec", "podCIDR")
	if cidr == "" {
		return saysf("Error registering network: failed to acquire lease: node %q pod cidr not assigned", k.name)
	}
	network, err1 := netip.ParsePrefix(conf.Network)
	own, err2 := netip.ParsePrefix(cidr)
	if err1 != nil || err2 != nil || !network.Contains(own.Addr()) {
		return saysf("Error registering network: failed to acquire lease: subnet %q specified in the flannel net config doesn't contain %q PodCIDR of the %q node", conf.Network, cidr, k.name)
	}
	public := natAddress
	for _, a := range items(c, "args") {
		arg := fmt.Sprint(a)
		reach, byReach := strings.CutPrefix(arg, "--iface-can-reach=")
		iface, byName := strings.CutPrefix(arg, "--iface=")
		lab, err := netip.ParsePrefix(m.Hardware.Network)
		address, bad := netip.ParseAddr(reach)
		if byReach && err == nil && bad == nil && lab.Contains(address) || byName && (iface == m.Hardware.Address || iface == "eth1" || iface == "enp0s8") {
			public = m.Hardware.Address
		}
	}
	root := vfs.Root()
	if err := errors.Join(
		m.FS.MkdirAll(root, "/run/flannel", 0o755), m.FS.MkdirAll(root, "/etc/cni/net.d", 0o755), m.FS.MkdirAll(root, "/opt/cni/bin", 0o755),
		m.FS.WriteFile(root, "/run/flannel/subnet.env", fmt.Sprintf("FLANNEL_NETWORK=%s\nFLANNEL_SUBNET=%s\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
			conf.Network, strings.Replace(cidr, ".0/24", ".1/24", 1)), 0o644),
		m.FS.WriteFile(root, "/etc/cni/net.d/10-flannel.conflist", text(cfg, "data", "cni-conf.json"), 0o644),
	); err != nil {
		return err
	}
	if _, err := m.FS.Stat(root, "/opt/cni/bin/flannel"); err != nil {
		if err := m.FS.WriteFile(root, "/opt/cni/bin/flannel", guest.Executable("cni-flannel", ""), 0o755); err != nil {
			return err
		}
	}
	const annotation = "flannel.alpha.coreos.com/public-ip"
	if text(node, "metadata", "annotations", annotation) != public {
		node = clone(node)
		child(child(node, "metadata"), "annotations")[annotation] = public
		return s.put(key{"nodes", "", k.name}, node)
	}
	return nil
}

// podView is a pod as the API shows it; the lock must be held.
func (s *store) podView(o object) object {
	o = clone(o)
	id := key{"pods", text(o, "metadata", "namespace"), text(o, "metadata", "name")}
	node := text(o, "spec", "nodeName")
	status := object{"phase": "Pending"}
	o["status"] = status
	if node == "" {
		status["conditions"] = []any{object{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}}
		return o
	}
	k := s.kubelets[node]
	if k == nil { // nobody reports: the last that is known stays
		status["phase"], status["reason"] = "Running", "NodeLost"
		status["conditions"] = []any{object{"type": "Ready", "status": "False"}}
		status["containerStatuses"] = containerStatuses(o, podRun{status: "Running"})
		return o
	}
	r := k.run(s, id, o)
	if r.ip != "" {
		status["podIP"] = r.ip
	}
	status["hostIP"], status["startTime"] = k.address, stamp(r.since)
	ready := "False"
	if r.ready {
		status["phase"], ready = "Running", "True"
	} else {
		status["message"] = r.message
	}
	status["conditions"] = []any{
		object{"type": "PodScheduled", "status": "True"}, object{"type": "Initialized", "status": "True"},
		object{"type": "ContainersReady", "status": ready}, object{"type": "Ready", "status": ready},
	}
	status["containerStatuses"] = containerStatuses(o, r)
	return o
}

func containerStatuses(pod object, r podRun) []any {
	var list []any
	for _, c := range items(pod, "spec", "containers") {
		state := object{"running": object{"startedAt": stamp(r.since)}}
		if r.status != "Running" {
			state = object{"waiting": object{"reason": r.status, "message": r.message}}
		}
		list = append(list, object{"name": text(c, "name"), "image": text(c, "image"), "ready": r.ready, "restartCount": 0, "state": state})
	}
	return list
}

// podReady reports whether a pod serves; the lock must be held.
func (s *store) podReady(o object) bool {
	k := s.kubelets[text(o, "spec", "nodeName")]
	return k != nil && k.run(s, key{"pods", text(o, "metadata", "namespace"), text(o, "metadata", "name")}, o).ready
}
