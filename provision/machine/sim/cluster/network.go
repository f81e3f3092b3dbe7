package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// networkDaemon is what the daemon of a pod network does on a node before its container is ready; other containers do
// nothing here. The lock of the store must be held.
func (k *kubelet) networkDaemon(s *store, namespace string, c any) error {
	image := text(c, "image")
	switch {
	case strings.Contains(image, "/flannel:"):
		return k.flannel(s, namespace, c)
	case strings.Contains(image, "/calico/node:"):
		return k.calico(s, namespace, c)
	case strings.Contains(image, "/cilium/cilium:"):
		return k.cilium(s, namespace)
	}
	return nil
}

// environment is a container's variables that have their values in the manifest.
func environment(c any) map[string]string {
	vars := map[string]string{}
	for _, e := range items(c, "env") {
		vars[text(e, "name")] = text(e, "value")
	}
	return vars
}

// calico finds the node's card and writes the configuration of the pod network
// (https://docs.tigera.io/calico/latest/reference/configure-calico-node).
func (k *kubelet) calico(s *store, namespace string, c any) error {
	m := k.kernel.Machine
	vars := environment(c)
	own := natAddress // of the first card
	if cidr, ok := strings.CutPrefix(vars["IP_AUTODETECTION_METHOD"], "cidr="); ok {
		network, err := netip.ParsePrefix(cidr)
		address, bad := netip.ParseAddr(m.Hardware.Address)
		if err != nil || bad != nil || !network.Contains(address) {
			return saysf("Unable to auto-detect an IPv4 address using interface IPs: no interface has an address in %s", cidr)
		}
		own = m.Hardware.Address
	}
	const annotation = "projectcalico.org/IPv4Address"
	for id, n := range s.objects["nodes"] {
		if id.name != k.name && text(n, "metadata", "annotations", annotation) == own {
			return saysf("Calico node '%s' is already using the IPv4 address %s.", id.name, own)
		}
	}
	if _, err := netip.ParsePrefix(vars["CALICO_IPV4POOL_CIDR"]); err != nil {
		return saysf("Invalid CIDR specified in CALICO_IPV4POOL_CIDR '%s'", vars["CALICO_IPV4POOL_CIDR"])
	}
	cfg := s.get(key{"configmaps", namespace, "calico-config"})
	if cfg == nil {
		return says("configmap \"calico-config\" not found")
	}
	conf := strings.NewReplacer("__CNI_MTU__", "0", "__KUBERNETES_NODE_NAME__", k.name, "__KUBECONFIG_FILEPATH__", "/etc/cni/net.d/calico-kubeconfig").
		Replace(text(cfg, "data", "cni_network_config"))
	if !json.Valid([]byte(conf)) {
		return saysf("Unable to parse %s", conf)
	}
	if err := writeNetwork(m, "10-calico.conflist", conf, "calico", "calico-ipam", "bandwidth"); err != nil {
		return err
	}
	return k.annotate(s, annotation, own)
}

// cilium looks at the kernel and writes the configuration of the pod network.
func (k *kubelet) cilium(s *store, namespace string) error {
	m := k.kernel.Machine
	cfg := s.get(key{"configmaps", namespace, "cilium-config"})
	if cfg == nil {
		return says("configmap \"cilium-config\" not found")
	}
	if text(cfg, "data", "ipam") == "kubernetes" && text(s.get(key{"nodes", "", k.name}), "spec", "podCIDR") == "" {
		return saysf("level=fatal msg=\"required IPv4 PodCIDR not available\" nodeName=%s", k.name)
	}
	var major, minor int
	if n, err := fmt.Sscanf(m.KernelRelease(), "%d.%d", &major, &minor); n == 2 && err == nil && (major < 5 || major == 5 && minor < 10) {
		return saysf("level=fatal msg=\"minimal supported kernel version is 5.10; kernel version that is running is: %s\"", m.KernelRelease())
	}
	return writeNetwork(m, "05-cilium.conflist", `{"cniVersion": "0.3.1", "name": "cilium", "plugins": [{"type": "cilium-cni"}]}`, "cilium-cni")
}

// annotate notes something on the node's own object.
func (k *kubelet) annotate(s *store, annotation, value string) error {
	node := s.get(key{"nodes", "", k.name})
	if text(node, "metadata", "annotations", annotation) == value {
		return nil
	}
	node = clone(node)
	child(child(node, "metadata"), "annotations")[annotation] = value
	return s.put(key{"nodes", "", k.name}, node)
}

// writeNetwork puts a configuration in place, and plugins that are not there yet.
func writeNetwork(m *guest.Machine, name, conf string, plugins ...string) error {
	root := vfs.Root()
	err := errors.Join(m.FS.MkdirAll(root, "/etc/cni/net.d", 0o755), m.FS.MkdirAll(root, "/opt/cni/bin", 0o755),
		m.FS.WriteFile(root, path.Join("/etc/cni/net.d", name), conf, 0o644))
	for _, plugin := range plugins {
		file := path.Join("/opt/cni/bin", plugin)
		if _, e := m.FS.Stat(root, file); e != nil {
			err = errors.Join(err, m.FS.WriteFile(root, file, guest.Executable("cni-"+plugin, ""), 0o755))
		}
	}
	return err
}
