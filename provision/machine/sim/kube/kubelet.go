package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/service"
	"podium/provision/machine/sim/systemd"
	"podium/provision/machine/sim/vfs"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{"kubelet": kubelet, "kubeadm": kubeadm, "kubectl": kubectl}
}

// kubeletState is the kubelet of a machine, while it runs.
type kubeletState struct {
	cluster string // id
	node    string
}

type kubeletKey struct{}

// kubeletFlags are those that labs use.
func kubeletFlags() []string {
	return strings.Fields("bootstrap-kubeconfig kubeconfig config node-ip hostname-override container-runtime-endpoint pod-infra-container-image node-labels register-with-taints " +
		"v cgroup-driver fail-swap-on max-pods resolv-conf cloud-provider rotate-certificates version")
}

// kubelet runs until it is stopped, or ends at once when the node is not ready for it.
func kubelet(ctx context.Context, p *guest.Process) int {
	f := map[string]string{}
	for i := 1; i < len(p.Args); i++ {
		name, value, has := strings.Cut(strings.TrimLeft(p.Args[i], "-"), "=")
		if !has && i+1 < len(p.Args) && !strings.HasPrefix(p.Args[i+1], "-") {
			i++
			value = p.Args[i]
		}
		if !slices.Contains(kubeletFlags(), name) {
			p.Errorf("E0000 run.go:72] \"command failed\" err=\"failed to parse kubelet flag: unknown flag: --%s\"", name)
			return 1
		}
		f[name] = value
	}
	if _, ok := f["version"]; ok {
		p.Printf("Kubernetes v%s\n", p.Version)
		return 0
	}
	if err := kubeletCheck(p, f); err != nil {
		p.Errorf("E0000 run.go:72] \"command failed\" err=%q", err)
		return 1
	}
	startStaticPods(p)
	state, err := register(ctx, p, f)
	if err != nil {
		p.Errorf("E0000 run.go:72] \"command failed\" err=%q", err)
		return 1
	}
	set := guest.Value(p.Kernel, kubeletKey{}, func() *kubeletState { return &kubeletState{} })
	*set = state
	for _, port := range []int{10248, 10250} {
		stop, err := p.Kernel.Listen(port, guest.HandlerFunc(func(context.Context, guest.Request) guest.Response { return guest.Response{Code: 200, Body: "ok"} }))
		if err != nil {
			p.Errorf("E0000 server.go:1] \"Failed to listen and serve\" err=%q", err)
			return 1
		}
		defer stop()
	}
	p.Ready()
	<-ctx.Done()
	*set = kubeletState{}
	return 0
}

// kubeletCheck is what keeps a kubelet from starting.
func kubeletCheck(p *guest.Process, f map[string]string) error {
	if f["config"] != "" {
		text, err := p.FS().ReadFile(vfs.Root(), f["config"])
		if err != nil {
			return fmt.Errorf("failed to load kubelet config file, path: %s, error: open %s: no such file or directory", f["config"], f["config"])
		}
		var c struct {
			FailSwapOn   *bool  `yaml:"failSwapOn"`
			CgroupDriver string `yaml:"cgroupDriver"`
		}
		if err := yaml.Unmarshal([]byte(text), &c); err != nil {
			return fmt.Errorf("failed to load kubelet config file, path: %s: %w", f["config"], err)
		}
		if len(p.Kernel.Swaps()) > 0 && (c.FailSwapOn == nil || *c.FailSwapOn) {
			return fmt.Errorf("failed to run Kubelet: running with swap on is not supported, please disable swap or set --fail-swap-on flag to false")
		}
		rt := service.RuntimeOf(p.Kernel)
		switch {
		case !rt.Running:
			return fmt.Errorf("failed to run Kubelet: validate service connection: dial unix /run/containerd/containerd.sock: connect: no such file or directory")
		case !rt.CRI:
			return fmt.Errorf("failed to run Kubelet: validate service connection: rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService")
		case c.CgroupDriver != "cgroupfs" && !rt.SystemdCgroup:
			return fmt.Errorf("failed to run Kubelet: misconfiguration: kubelet cgroup driver: \"systemd\" is different from the runtime's cgroup driver: \"cgroupfs\"")
		}
	}
	if boot, cfg := f["bootstrap-kubeconfig"], f["kubeconfig"]; cfg != "" {
		_, err1 := p.FS().Stat(vfs.Root(), boot)
		_, err2 := p.FS().Stat(vfs.Root(), cfg)
		if err1 != nil && err2 != nil {
			return fmt.Errorf("failed to run Kubelet: unable to load bootstrap kubeconfig: stat %s: no such file or directory", boot)
		}
	}
	return nil
}

// startStaticPods starts the API server of a control plane whose manifests are there.
func startStaticPods(p *guest.Process) {
	if _, err := p.FS().Stat(vfs.Root(), manifests+"/kube-apiserver.yaml"); err != nil || serves(p.Kernel) {
		return
	}
	c, err := open(p.Kernel)
	if err == nil {
		err = c.join(p.Kernel, nodeName(p.Machine()))
	}
	if err != nil {
		p.Errorf("E0000 pod_workers.go:1] \"Error syncing pod\" err=\"failed to start container kube-apiserver: %v\"", err)
	}
}

// nodeName is the name under which the node is in the cluster.
func nodeName(m *guest.Machine) string { return strings.ToLower(m.Hostname()) }

// register announces the node to the API server, if it can be reached; else the kubelet goes on trying.
func register(ctx context.Context, p *guest.Process, f map[string]string) (kubeletState, error) {
	file := f["kubeconfig"]
	if _, err := p.FS().Stat(vfs.Root(), file); err != nil {
		file = f["bootstrap-kubeconfig"]
	}
	if file == "" {
		return kubeletState{node: nodeName(p.Machine())}, nil
	}
	a, err := readKubeconfig(p.FS(), vfs.Root(), file)
	if err != nil {
		return kubeletState{}, err
	}
	m := p.Machine()
	name := nodeName(m)
	if f["hostname-override"] != "" {
		name = f["hostname-override"]
	}
	state := kubeletState{cluster: a.cluster, node: name}
	address := f["node-ip"]
	if address == "" {
		address = natAddress // the card with the default route
	} else if address != m.Hardware.Address && address != natAddress && address != "0.0.0.0" {
		return state, fmt.Errorf("failed to run Kubelet: failed to validate nodeIP: node IP: %q not found in the host's network interfaces", address)
	}
	update := func(c *Cluster) {
		c.mu.Lock()
		defer c.mu.Unlock()
		n := c.Nodes[name]
		if n == nil {
			n = &Node{Name: name, Created: p.Kernel.Clock(), Labels: map[string]string{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": m.Hardware.Arch}}
			c.Nodes[name] = n
			c.changed()
		}
		rt := service.RuntimeOf(p.Kernel)
		n.Machine, n.InternalIP, n.Version, n.Runtime = m.Hardware.Address, address, "v"+p.Version, "containerd://"+rt.Version
		n.OS, n.Kernel = prettyName(m), m.KernelRelease()
		if n.PodCIDR == "" && !c.OwnRanges && c.PodSubnet != "" {
			n.PodCIDR = c.nextRange()
			c.changed()
		}
	}
	c, err := dial(ctx, m, a.server, a.cluster)
	if err == nil {
		update(c)
		runFlannel(c, m)
		return state, nil
	}
	go func() { // the API server may come up later
		for pause(ctx) == nil {
			if c, err := dial(ctx, m, a.server, a.cluster); err == nil {
				update(c)
				runFlannel(c, m)
				return
			}
		}
	}()
	return state, nil
}

const natAddress = "10.0.2.15"

func prettyName(m *guest.Machine) string {
	text, _ := m.FS.ReadFile(vfs.Root(), "/etc/os-release")
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return "Linux"
}

// nextRange gives a node its range of pod addresses; the lock must be held.
func (c *Cluster) nextRange() string {
	base, _, _ := strings.Cut(c.PodSubnet, "/")
	f := strings.Split(base, ".")
	n := c.NextRange
	c.NextRange++
	return fmt.Sprintf("%s.%d.%d.0/24", f[0], atoi(f[1])+n/256, n%256)
}

func atoi(s string) int {
	n := 0
	fmt.Sscan(s, &n)
	return n
}

const flannelConfig = "/etc/cni/net.d/10-flannel.conflist"

// runFlannel is flannel's pod on a node: it installs the plugin, if the cluster has flannel.
func runFlannel(c *Cluster, m *guest.Machine) {
	c.mu.Lock()
	ds := c.Objects["DaemonSet/kube-flannel/kube-flannel-ds"]
	config := c.Objects["ConfigMap/kube-flannel/kube-flannel-cfg"]
	subnet := c.PodSubnet
	own := c.OwnRanges
	c.mu.Unlock()
	k := m.Kernel()
	if ds == nil || config == nil || k == nil || !k.HasModule("br_netfilter") || own {
		return
	}
	data, _ := config["data"].(map[string]any)
	text, _ := data["net-conf.json"].(string)
	var conf struct{ Network string }
	if json.Unmarshal([]byte(text), &conf) != nil || conf.Network != subnet {
		return // flanneld: failed to acquire lease: subnet specified in net-conf.json doesn't contain the node's range
	}
	cni, _ := data["cni-conf.json"].(string)
	fs, root := m.FS, vfs.Root()
	fs.MkdirAll(root, "/etc/cni/net.d", 0o755)                                                                //nolint:errcheck // the next lines tell
	fs.MkdirAll(root, "/opt/cni/bin", 0o755)                                                                  //nolint:errcheck
	fs.MkdirAll(root, "/run/flannel", 0o755)                                                                  //nolint:errcheck
	fs.WriteFile(root, "/opt/cni/bin/flannel", guest.Executable("flannel", ""), 0o755)                        //nolint:errcheck // a full disk: the node stays NotReady
	fs.WriteFile(root, "/run/flannel/subnet.env", "FLANNEL_NETWORK="+subnet+"\nFLANNEL_IPMASQ=true\n", 0o644) //nolint:errcheck
	fs.WriteFile(root, flannelConfig, cni, 0o644)                                                             //nolint:errcheck
}

// ready says whether a node is Ready, and why not; the lock must not be held.
func ready(from *guest.Machine, id string, n Node) (bool, string) {
	m := from.Net.Peer(n.Machine)
	if from.Hardware.Address == n.Machine {
		m = from
	}
	if m == nil {
		return false, "NodeStatusUnknown: Kubelet stopped posting node status."
	}
	k := m.Kernel()
	if k == nil {
		return false, "NodeStatusUnknown: Kubelet stopped posting node status."
	}
	state := guest.Value(k, kubeletKey{}, func() *kubeletState { return &kubeletState{} })
	if !systemd.Of(k).IsActive("kubelet") || state.cluster != id || state.node != n.Name {
		return false, "NodeStatusUnknown: Kubelet stopped posting node status."
	}
	if !service.RuntimeOf(k).Running {
		return false, "KubeletNotReady: container runtime is down"
	}
	if err := networkReady(m); err != nil {
		return false, "KubeletNotReady: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: " + err.Error()
	}
	return true, "KubeletReady: kubelet is posting ready status"
}

// networkReady checks the CNI configuration of a node and that its plugins are there.
func networkReady(m *guest.Machine) error {
	entries, _ := m.FS.ReadDir(vfs.Root(), "/etc/cni/net.d")
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".conflist") && !strings.HasSuffix(e.Name(), ".conf") {
			continue
		}
		text, err := m.FS.ReadFile(vfs.Root(), "/etc/cni/net.d/"+e.Name())
		if err != nil {
			continue
		}
		var conf struct {
			Name    string
			Plugins []struct {
				Type string
				IPAM struct{ Type string }
			}
		}
		if err := json.Unmarshal([]byte(text), &conf); err != nil || len(conf.Plugins) == 0 {
			return fmt.Errorf("cni config load failed: %s", e.Name())
		}
		for _, pl := range conf.Plugins {
			for _, program := range []string{pl.Type, pl.IPAM.Type} {
				if program == "" {
					continue
				}
				if _, err := m.FS.Stat(vfs.Root(), "/opt/cni/bin/"+program); err != nil {
					return fmt.Errorf("failed to find plugin %q in path [/opt/cni/bin]", program)
				}
			}
		}
		return nil
	}
	return fmt.Errorf("cni plugin not initialized")
}
