package doctor

import (
	"cmp"
	"slices"
	"strings"

	"podium/provision/lab"
	"podium/provision/version"
)

// Check says what stands in the lab's way, what blocks it first. It does nothing but compare.
func Check(f Facts, n Need, language string) []Finding {
	c := checkup{f: f, n: n}
	if n.provider() == lab.ProviderLibvirt {
		c.libvirt()
	} else {
		c.virtualBox()
		c.virtualisation()
	}
	c.vagrant()
	if len(n.Machines) > 0 {
		c.machines()
		c.network()
		c.room()
		c.box()
	}
	c.surroundings()
	var all []Finding
	for _, one := range c.found {
		all = append(all, one.say(f.OS, language))
	}
	order := map[Severity]int{Blocks: 0, Warning: 1, Note: 2}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(order[a.Severity], order[b.Severity]) })
	return all
}

// checkup gathers findings.
type checkup struct {
	f     Facts
	n     Need
	found []found
}

func (c *checkup) add(s Severity, id string, values ...any) {
	c.found = append(c.found, found{id: id, severity: s, values: values})
}

func (c *checkup) out(name string) string { return c.f.Answers[name].Out }

func (c *checkup) missing(name string) bool {
	a, asked := c.f.Answers[name]
	return !asked || a.Missing
}

// virtualBox looks at the program itself and at its kernel module.
func (c *checkup) virtualBox() {
	if isWSL(c.out(kernelVersion)) {
		c.add(Blocks, "wsl")
		return
	}
	if c.missing(vboxVersion) {
		c.add(Blocks, "virtualbox-missing")
		return
	}
	said := c.f.Answers[vboxVersion]
	has := parseVersion(said.Out)
	switch {
	case c.f.OS == "linux" && (strings.Contains(said.Out+said.Err, "vboxdrv") || strings.Contains(said.Out+said.Err, "kernel module is not loaded")):
		c.add(Blocks, "kernel-module")
	case c.f.OS == "linux" && !c.missing(kernelModules) && !hasModule(c.out(kernelModules), "vboxdrv"):
		c.add(Blocks, "kernel-module")
	case has == nil:
		c.add(Blocks, "virtualbox-broken", firstLine(said.Out+said.Err))
	case has.Less(6, 1):
		c.add(Blocks, "virtualbox-old", has)
	case has.Less(7, 0):
		c.add(Warning, "virtualbox-old", has)
	}
	if c.f.OS == "darwin" && c.f.Arch == "arm64" && has != nil && has.Less(7, 1) {
		c.add(Blocks, "apple-silicon", has)
	}
}

// vagrant looks at Vagrant, and at whether it knows this VirtualBox.
func (c *checkup) vagrant() {
	if c.missing(vagrantVersion) {
		c.add(Blocks, "vagrant-missing")
		return
	}
	vagrant := parseVersion(c.out(vagrantVersion))
	if vagrant == nil {
		c.add(Blocks, "vagrant-broken", firstLine(c.out(vagrantVersion)+c.f.Answers[vagrantVersion].Err))
		return
	}
	box := parseVersion(c.out(vboxVersion))
	if c.n.provider() == lab.ProviderLibvirt || box == nil {
		return
	}
	needs := []struct{ box, vagrant version.Version }{{version.Version{7, 2}, version.Version{2, 4, 9}}, {version.Version{7, 1}, version.Version{2, 4, 2}}, {version.Version{7, 0}, version.Version{2, 3, 2}}}
	switch {
	case !box.Less(7, 3):
		c.add(Warning, "pair-unknown", box, vagrant)
	default:
		for _, need := range needs {
			if !box.Less(need.box...) {
				if vagrant.Less(need.vagrant...) {
					c.add(Blocks, "pair", box, vagrant, need.vagrant)
				}
				break
			}
		}
	}
}

// virtualisation looks at whether the processor's virtualisation is there and free.
func (c *checkup) virtualisation() {
	switch c.f.OS {
	case "linux":
		c.linuxVirtualisation()
	case "windows":
		w := parseWindows(c.out(windowsSystem))
		switch {
		case w == nil:
		case w.HypervisorPresent:
			c.add(Warning, "hyper-v", w.vbs())
		case !w.VirtualizationFirmwareEnabled:
			c.add(Blocks, "virtualisation-off")
		}
	}
}

// linuxVirtualisation: from Linux 6.12 on, KVM takes VT-x as soon as its module is loaded unless its parameter says
// otherwise. VirtualBox before 7.2.10 needs it free; from 7.2.10 on it shares it with KVM and needs KVM to hold it.
func (c *checkup) linuxVirtualisation() {
	if c.f.Arch == "amd64" && !c.missing(cpuInfo) && !hasFlag(c.out(cpuInfo), "vmx", "svm") {
		c.add(Blocks, "virtualisation-off")
		return
	}
	box, kernel := parseVersion(c.out(vboxVersion)), kernelOf(c.out(kernelVersion))
	modules := c.out(kernelModules)
	if box == nil || kernel.Less(6, 12) || !hasModule(modules, "kvm_intel") && !hasModule(modules, "kvm_amd") {
		return
	}
	held := strings.HasPrefix(strings.TrimSpace(c.out(kvmAtLoad)), "Y") || strings.HasPrefix(strings.TrimSpace(c.out(kvmAtLoad)), "1")
	switch {
	case held && box.Less(7, 2, 10):
		c.add(Blocks, "kvm", kernel, box)
	case !held && !box.Less(7, 2, 10):
		c.add(Warning, "kvm-released", kernel, box)
	}
}

func (c *checkup) libvirt() {
	said, asked := c.f.Answers[virshVersion]
	switch {
	case c.f.OS != "linux":
		c.add(Blocks, "libvirt-system")
		return
	case !asked || said.Missing:
		c.add(Blocks, "libvirt-missing")
		return
	case said.Code != 0:
		c.add(Blocks, "libvirt-refuses", firstLine(said.Err))
	}
	if c.missing(kvmDevice) {
		c.add(Warning, "libvirt-slow")
	}
	if !c.missing(vagrantPlugins) && !strings.Contains(c.out(vagrantPlugins), "vagrant-libvirt") {
		c.add(Blocks, "libvirt-plugin")
	}
}

// machines looks for machines and folders that are in the way, and for what a broken boot has left.
func (c *checkup) machines() {
	if c.n.provider() != lab.ProviderVirtualBox {
		return
	}
	vms := vmNames(c.out(vboxVMs))
	ids := map[string]bool{}
	for _, id := range c.n.IDs {
		ids[id] = true
	}
	taken := map[string]bool{}
	for _, m := range c.n.Machines {
		name := c.n.vmName(m.Name)
		for id, vm := range vms {
			if vm == name && !ids[id] {
				c.add(Blocks, "name-taken", name, id)
			}
			taken[vm] = true
		}
	}
	for _, folder := range c.f.FoldersTaken {
		if !taken[lastPart(folder)] {
			c.add(Blocks, "folder-taken", folder)
		}
	}
	var clones []string
	for id, vm := range vms {
		if strings.HasPrefix(vm, "temp_clone_") && !ids[id] {
			clones = append(clones, vm)
		}
	}
	if slices.Sort(clones); len(clones) > 0 {
		c.add(Warning, "left-clones", strings.Join(clones, ", "))
	}
}

// running tells whether a node's machine runs, so that what it holds already does not count as taken.
func (c *checkup) running(node string) bool {
	name := c.n.vmName(node)
	for id, vm := range vmNames(c.out(vboxRunning)) {
		if vm == name || c.n.IDs[node] == id {
			return true
		}
	}
	return false
}

// Covers reports whether the doctor knows what a provider needs: those whose machines Vagrant makes.
func Covers(provider string) bool {
	return provider == lab.ProviderVirtualBox || provider == lab.ProviderLibvirt
}
