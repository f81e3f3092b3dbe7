package incus

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"podium/provision/lab"
	"podium/provision/machine"
)

// instance is what the API says of an instance:
// https://linuxcontainers.org/incus/docs/main/api/#/instances/instance_get
type instance struct {
	Name     string                       `json:"name"`
	Type     string                       `json:"type"`
	Status   string                       `json:"status"`
	Location string                       `json:"location"` // member of a cluster; "none" otherwise
	Config   map[string]string            `json:"config"`
	Devices  map[string]map[string]string `json:"devices"`
}

// state translates Incus's status.
func (i instance) state() machine.State {
	switch i.Status {
	case "Running", "Ready":
		return machine.Running
	case "Stopped":
		return machine.Stopped
	default: // Frozen, Starting, Stopping, Error
		return machine.Unknown
	}
}

// newInstance is the body of the call that creates an instance.
type newInstance struct {
	Name        string                       `json:"name"`
	Description string                       `json:"description"`
	Type        string                       `json:"type"`
	Start       bool                         `json:"start"`
	Profiles    []string                     `json:"profiles"` // none: everything a node needs stands here
	Source      imageSource                  `json:"source"`
	Config      map[string]string            `json:"config"`
	Devices     map[string]map[string]string `json:"devices"`
}

// imageSource says where an image comes from: an alias on the server, or a server of images that Incus downloads from.
type imageSource struct {
	Type     string `json:"type"`
	Alias    string `json:"alias"`
	Mode     string `json:"mode,omitempty"`
	Server   string `json:"server,omitempty"`
	Protocol string `json:"protocol,omitempty"`
}

// shared is what the machines of a lab have in common on a server.
type shared struct {
	Network   string
	Pool      string
	Source    imageSource
	CgroupV1  bool // the server is known to have control groups of version 1
	Elsewhere bool // the server is another computer: it forwards a port to each node's sshd
}

// describe says how a machine is to be made.
func describe(l lab.Lab, m lab.Machine, s shared, at place, key string) newInstance {
	kind := "container"
	if l.Incus.Instance == lab.InstanceVM {
		kind = "virtual-machine"
	}
	n := newInstance{
		Name:        instanceName(l.Name, m.Name),
		Description: fmt.Sprintf("node %s of podium lab %s", m.Name, l.Name),
		Type:        kind,
		Start:       true,
		Profiles:    []string{},
		Source:      s.Source,
		Config: map[string]string{
			keyLab: at.Lab, keyOwner: at.Owner, keyNode: m.Name, keyUser: l.User,
			"cloud-init.user-data": userData(l.User, key), // read by images with cloud-init only
		},
		Devices: map[string]map[string]string{
			"root": {"type": "disk", "path": "/", "pool": s.Pool},
			"eth0": {"type": "nic", "name": "eth0", "network": s.Network, "ipv4.address": m.Address.String()},
		},
	}
	maps.Copy(n.Config, limits(m))
	if s.CgroupV1 && byTime(m, kind) {
		maps.Copy(n.Config, limitsByTime(m))
	}
	if m.Disk > 0 {
		n.Devices["root"]["size"] = fmt.Sprintf("%dMiB", m.Disk.MiB())
	}
	if kind == "container" {
		allow(&n, m)
	}
	if s.Elsewhere {
		n.Devices["ssh"] = proxyDevice(n.Name)
	}
	return n
}

// limits are a machine's sizes as Incus writes them; the same for containers and virtual machines.
func limits(m lab.Machine) map[string]string {
	return map[string]string{
		"limits.cpu":    strconv.Itoa(m.CPUs),
		"limits.memory": fmt.Sprintf("%dMiB", m.Memory.MiB()),
	}
}

// limitsByTime limits a container's share of all processors instead of giving it some of them.
func limitsByTime(m lab.Machine) map[string]string {
	set := limits(m)
	set["limits.cpu"] = ""
	set["limits.cpu.allowance"] = fmt.Sprintf("%dms/100ms", 100*m.CPUs)
	return set
}

// byTime reports whether a machine is to be limited by time where control groups are of version 1: a kubelet asks for
// every processor that it sees, and is refused there those that its container may not use.
func byTime(m lab.Machine, kind string) bool { return kind == "container" && inCluster(m) }

// inCluster reports whether a machine is a node of a Kubernetes cluster.
func inCluster(m lab.Machine) bool {
	return m.HasRole(lab.RoleControlPlane) || m.HasRole(lab.RoleWorker)
}

// allow lets a container do what its roles need, and no more.
//
// A kubelet and kube-proxy set kernel parameters, mount, and manage cgroups of their own, none of which an unprivileged
// container may: so a cluster's node is a privileged one without confinement. A Docker engine needs nested containers,
// which an unprivileged container may have.
func allow(n *newInstance, m lab.Machine) {
	switch {
	case inCluster(m):
		n.Config["security.privileged"] = "true"
		n.Config["security.nesting"] = "true"
		n.Config["raw.lxc"] = strings.Join([]string{
			"lxc.apparmor.profile=unconfined",
			"lxc.cap.drop=",
			"lxc.mount.auto=proc:rw sys:rw cgroup:rw:force",
			"lxc.cgroup.devices.allow=a",  // cgroup v1
			"lxc.cgroup2.devices.allow=a", // cgroup v2
		}, "\n")
		// The kubelet reads the kernel's messages to see what ran out of memory.
		n.Devices["kmsg"] = map[string]string{"type": "unix-char", "source": "/dev/kmsg", "path": "/dev/kmsg"}
	case m.HasRole(lab.RoleDocker):
		n.Config["security.nesting"] = "true"
		n.Config["security.syscalls.intercept.mknod"] = "true"    // layers of images with device files
		n.Config["security.syscalls.intercept.setxattr"] = "true" // whiteouts of overlays
	}
}

// userData is what cloud-init does at first boot: the lab's user with its key, nobody with a password.
func userData(user, key string) string {
	return strings.Join([]string{
		"#cloud-config",
		"ssh_pwauth: false",
		"users:",
		"- name: " + strconv.Quote(user),
		"  shell: /bin/bash",
		"  lock_passwd: true",
		"  sudo: ALL=(ALL) NOPASSWD:ALL",
		"  ssh_authorized_keys:",
		"  - " + strconv.Quote(strings.TrimSpace(key)),
		"",
	}, "\n")
}

// proxyDevice forwards a port of the server to the node's sshd. The port follows from the instance's name, so that it
// needs no list of those in use.
func proxyDevice(name string) map[string]string {
	return map[string]string{
		"type": "proxy", "bind": "host",
		"listen":  fmt.Sprintf("tcp:0.0.0.0:%d", proxyPort(name)),
		"connect": "tcp:127.0.0.1:22",
	}
}

// proxyPort is a port from 20000 to 31999: below those that Linux gives to outgoing connections.
func proxyPort(name string) int {
	n, _ := strconv.ParseUint(digest(name)[:8], 16, 64) // always 8 hexadecimal digits
	return int(20000 + n%12000)
}
