package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// stamp is how times stand in objects.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// newObject begins an object.
func newObject(kind, apiVersion, name, namespace string, now time.Time) object {
	meta := object{"name": name, "creationTimestamp": stamp(now), "uid": random(4) + "-" + random(2) + "-4" + random(2)[1:] + "-a" + random(2)[1:] + "-" + random(6)}
	if namespace != "" {
		meta["namespace"] = namespace
	}
	return object{"kind": kind, "apiVersion": apiVersion, "metadata": meta}
}

// registerNode writes what a kubelet tells of its node; the lock must be held.
func (s *store) registerNode(k *kubelet) error {
	m := k.kernel.Machine
	id := key{"nodes", "", k.name}
	old := s.get(id)
	var n object
	if old == nil {
		n = newObject("Node", "v1", k.name, "", k.kernel.Clock())
		child(n, "metadata")["labels"] = object{"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
			"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": k.name}
		n["spec"] = object{}
		if cidr := s.nextCIDR(); cidr != "" {
			n["spec"] = object{"podCIDR": cidr, "podCIDRs": []any{cidr}}
		}
	} else {
		n = clone(old)
	}
	memory := fmt.Sprintf("%dKi", m.Hardware.Memory>>10)
	size := object{"cpu": fmt.Sprint(m.Hardware.CPUs), "memory": memory, "pods": "110"}
	n["status"] = object{
		"addresses":   []any{object{"type": "InternalIP", "address": k.address}, object{"type": "Hostname", "address": k.name}},
		"capacity":    size,
		"allocatable": size,
		"nodeInfo": object{
			"osImage": osImage(m), "kernelVersion": m.KernelRelease(), "containerRuntimeVersion": k.runtime().name + "://" + k.runtime().version,
			"kubeletVersion": k.version, "operatingSystem": "linux", "architecture": "amd64", "bootID": k.kernel.BootID,
		},
	}
	k.podCIDR = text(n, "spec", "podCIDR")
	if old != nil && same(old["status"], n["status"]) {
		return nil
	}
	if err := s.put(id, n); err != nil {
		return err
	}
	return s.daemonPods(k.name, k.kernel.Clock())
}

func same(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// nextCIDR is the next node's range of pod addresses, a /24, while the pod subnet has one; the lock must be held. It
// is what the controller manager gives away unless it was told not to.
func (s *store) nextCIDR() string {
	subnet, err := netip.ParsePrefix(s.head.CIDR)
	if err != nil || subnet.Bits() > 24 || !subnet.Addr().Is4() || s.head.NextCIDR >= 1<<(24-subnet.Bits()) {
		return ""
	}
	b := subnet.Masked().Addr().As4()
	n := int(b[0])<<16 + int(b[1])<<8 + int(b[2]) + s.head.NextCIDR
	s.head.NextCIDR++
	return fmt.Sprintf("%d.%d.%d.0/24", n>>16, n>>8&255, n&255)
}

func osImage(m *guest.Machine) string {
	release, _ := m.FS.ReadFile(vfs.Root(), "/etc/os-release")
	for line := range strings.Lines(release) {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return "Linux"
}

// networkProblem is why the runtime has no pod network, nil if it has one.
func networkProblem(m *guest.Machine, rt runtime) error {
	_, err := networkPlugins(m, rt)
	return err
}

// networkPlugins reads the first network configuration, as containerd does, and returns the plugins that it names.
func networkPlugins(m *guest.Machine, rt runtime) ([]string, error) {
	const missing = "cni plugin not initialized"
	entries, err := m.FS.ReadDir(vfs.Root(), rt.confDir)
	if err != nil {
		return nil, errors.New(missing)
	}
	for _, e := range entries { // in order of their names
		if !strings.HasSuffix(e.Name(), ".conf") && !strings.HasSuffix(e.Name(), ".conflist") && !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		content, err := m.FS.ReadFile(vfs.Root(), rt.confDir+"/"+e.Name())
		var conf struct {
			Type    string
			Plugins []struct {
				Type string
				IPAM struct{ Type string }
			}
		}
		if err != nil || json.Unmarshal([]byte(content), &conf) != nil {
			continue // containerd passes over what it cannot read
		}
		var types []string
		if conf.Type != "" {
			types = append(types, conf.Type)
		}
		for _, p := range conf.Plugins {
			types = append(types, p.Type)
			if p.IPAM.Type != "" {
				types = append(types, p.IPAM.Type)
			}
		}
		if len(types) > 0 {
			return types, nil
		}
	}
	return nil, errors.New(missing)
}

// missingPlugin is the error for a plugin that the configuration names and no directory has.
func missingPlugin(m *guest.Machine, rt runtime) error {
	types, err := networkPlugins(m, rt)
	if err != nil {
		return err
	}
	for _, t := range types {
		if !slices.ContainsFunc(rt.binDirs, func(dir string) bool {
			info, err := m.FS.Stat(vfs.Root(), dir+"/"+t)
			return err == nil && info.Mode()&0o111 != 0
		}) {
			return fmt.Errorf("failed to find plugin %q in path %v", t, rt.binDirs)
		}
	}
	return nil
}

// readiness is the node's Ready condition: True, False or Unknown, and why.
func (s *store) readiness(node string) (status, reason, message string) {
	k := s.kubelets[node]
	if k == nil || k.kernel.Context().Err() != nil {
		return "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."
	}
	rt := k.runtime()
	if !rt.running {
		return "False", "KubeletNotReady", "[container runtime is down, PLEG is not healthy: pleg has yet to be successful]"
	}
	k.sync(s)
	if err := networkProblem(k.kernel.Machine, rt); err != nil {
		return "False", "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: " + err.Error()
	}
	return "True", "KubeletReady", "kubelet is posting ready status"
}

// nodeView is a node as the API shows it, with its conditions; the lock must be held.
func (s *store) nodeView(o object, now time.Time) object {
	o = clone(o)
	status, reason, message := s.readiness(text(o, "metadata", "name"))
	pressure := "False"
	if status == "Unknown" {
		pressure = "Unknown"
	}
	condition := func(kind, status, reason, message string) any {
		return object{"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": stamp(now)}
	}
	child(o, "status")["conditions"] = []any{
		condition("MemoryPressure", pressure, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
		condition("DiskPressure", pressure, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
		condition("PIDPressure", pressure, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
		condition("Ready", status, reason, message),
	}
	if taints := s.conditionTaints(o, status); len(taints) > 0 {
		child(o, "spec")["taints"] = append(items(o, "spec", "taints"), taints...)
	}
	return o
}

// conditionTaints are those that the node controller adds while a node is not ready or cordoned.
func (s *store) conditionTaints(o object, ready string) []any {
	var list []any
	switch ready {
	case "False":
		list = append(list, object{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
	case "Unknown":
		list = append(list, object{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"})
	}
	if at(o, "spec", "unschedulable") == true {
		list = append(list, object{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
	}
	return list
}

// tolerated reports whether a pod with these tolerations may run despite the taints of a node.
func tolerated(taints, tolerations []any) bool {
	for _, t := range taints {
		effect := text(t, "effect")
		if effect == "PreferNoSchedule" {
			continue
		}
		ok := slices.ContainsFunc(tolerations, func(tol any) bool {
			switch {
			case text(tol, "effect") != "" && text(tol, "effect") != effect:
				return false
			case text(tol, "operator") == "Exists":
				return text(tol, "key") == "" || text(tol, "key") == text(t, "key")
			}
			return text(tol, "key") == text(t, "key") && text(tol, "value") == text(t, "value")
		})
		if !ok {
			return false
		}
	}
	return true
}
