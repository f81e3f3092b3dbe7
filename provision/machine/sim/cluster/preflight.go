package cluster

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"podium/provision/machine/sim/vfs"
)

// preflight collects what stands in the way of kubeadm init or join.
type preflight struct {
	a      *adminCall
	ignore []string
	errs   []string
	warned []string
}

func (f *preflight) check(name string, ok bool, format string, args ...any) {
	if ok {
		return
	}
	text := fmt.Sprintf(format, args...)
	if slices.ContainsFunc(f.ignore, func(i string) bool { return strings.EqualFold(i, name) || strings.EqualFold(i, "all") }) {
		f.warn(name, text)
		return
	}
	f.errs = append(f.errs, fmt.Sprintf("\t[ERROR %s]: %s", name, text))
}

func (f *preflight) warn(name, text string) {
	f.warned = append(f.warned, fmt.Sprintf("\t[WARNING %s]: %s", name, text))
}

// finish prints the warnings and returns all errors as one.
func (f *preflight) finish() error {
	for _, w := range f.warned {
		f.a.p.Errorf("%s", w)
	}
	if len(f.errs) == 0 {
		return nil
	}
	return fmt.Errorf("[preflight] Some fatal errors occurred:\n%s\n[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`",
		strings.Join(f.errs, "\n"))
}

const (
	leastCPUs   = 2
	leastMemory = 1700 // MB
)

// host checks what every member of a cluster needs.
func (f *preflight) host(socket string) {
	a, k := f.a, f.a.p.Kernel
	f.check("IsPrivilegedUser", a.p.Cred.UID == 0, "user is not running as root")
	if err := a.runtimeError(socket); err != nil {
		f.check("CRI", false, "%v", err)
	}
	for _, name := range []string{"conntrack", "iptables", "ip", "mount"} {
		_, ok := a.p.LookPath(name)
		if name == "conntrack" && !ok {
			f.check("FileExisting-conntrack", false, "conntrack not found in system path")
		} else {
			f.check("FileExisting-"+name, ok, "%s not found in system path", name)
		}
	}
	for _, name := range []string{"net.bridge.bridge-nf-call-iptables", "net.ipv4.ip_forward"} {
		file := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		id := "FileContent-" + strings.ReplaceAll(file, "/", "-")
		value, there := k.Sysctl(name)
		switch {
		case !there:
			f.check(id, false, "%s does not exist", file)
		default:
			f.check(id, value == "1", "%s contents are not set to 1", file)
		}
	}
	if len(k.Swaps()) > 0 {
		f.warn("Swap", "swap is supported for cgroup v2 only. The kubelet must be properly configured to use swap. Please refer to https://kubernetes.io/docs/concepts/architecture/nodes/#swap-memory, or disable swap on the node")
	}
	if name := k.Machine.Hostname(); name != "" {
		if _, ok := k.Machine.Resolve(a.ctx, name); !ok {
			f.warn("Hostname", fmt.Sprintf("hostname %q could not be reached", name))
		}
	}
	if !a.systemctl("is-enabled", "--quiet", "kubelet") {
		f.warn("Service-Kubelet", "kubelet service is not enabled, please run 'systemctl enable kubelet.service'")
	}
	if socket == defaultSocket && !a.systemctl("is-enabled", "--quiet", "containerd") {
		f.warn("Service-containerd", "containerd service is not enabled, please run 'systemctl enable containerd.service'")
	}
	f.check("Port-10250", k.Listener(kubeletPort) == nil, "Port 10250 is in use")
}

// controlPlane checks what a control plane needs beyond that.
func (f *preflight) controlPlane(version string, conf clusterConfig) {
	a, m := f.a, f.a.p.Machine()
	f.check("NumCPU", m.Hardware.CPUs >= leastCPUs, "the number of available CPUs %d is less than the required %d", m.Hardware.CPUs, leastCPUs)
	f.check("Mem", m.Hardware.Memory/1e6 >= leastMemory, "the system RAM (%d MB) is less than the minimum %d MB", m.Hardware.Memory/1e6, leastMemory)
	listened := []int{apiPort, 10259, 10257, 2379, 2380}
	etcd, external := conf.external()
	if external {
		listened = listened[:3]
		_, err := etcd.reach(a.ctx, m)
		f.check("ExternalEtcdVersion", err == nil, "couldn't load external etcd's server certificate or reach it: %v", err)
	}
	for _, port := range listened {
		f.check(fmt.Sprintf("Port-%d", port), a.p.Kernel.Listener(port) == nil, "Port %d is in use", port)
	}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"} {
		f.absent(manifestDir + "/" + name + ".yaml")
	}
	entries, err := m.FS.ReadDir(vfs.Root(), etcdDir)
	f.check("DirAvailable--var-lib-etcd", external || err != nil || len(entries) == 0, "/var/lib/etcd is not empty")
	f.kubeletVersion(version)
}

// kubeletVersion compares the kubelet with the control plane.
func (f *preflight) kubeletVersion(version string) {
	out, code := f.a.p.Capture("kubelet", "--version")
	if code != 0 {
		f.check("KubeletVersion", false, "couldn't get kubelet version: cannot execute 'kubelet --version': executable file not found in $PATH")
		return
	}
	kubelet := strings.TrimPrefix(strings.TrimSpace(out), "Kubernetes v")
	_, theirs := minorOf(kubelet)
	_, ours := minorOf(version)
	f.check("KubeletVersion", theirs <= ours,
		"the kubelet version is higher than the control plane version. This is not a supported version skew and may lead to a malfunctional cluster. Kubelet version: %q Control plane version: %q",
		kubelet, strings.TrimPrefix(version, "v"))
	f.check("KubeletVersion", theirs >= ours-3, "Kubelet version %q is lower than kubeadm can support. Please upgrade kubelet", kubelet)
}

// absent checks that a file is not there yet.
func (f *preflight) absent(file string) {
	f.check("FileAvailable-"+strings.ReplaceAll(path.Clean(file), "/", "-"), !f.a.exists(file), "%s already exists", file)
}
