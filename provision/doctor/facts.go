// Package doctor finds out why a lab would not work on this computer, before anything is made. Collect captures facts;
// Check is a pure function over them, so that a captured set of facts gives the same findings anywhere.
package doctor

import (
	"net/netip"

	"podium/provision/lab"
)

// Facts are what was captured of a computer. They can be kept as JSON.
type Facts struct {
	OS   string `json:"os"`   // linux, darwin or windows
	Arch string `json:"arch"` // of the machine, not of podium: amd64 or arm64
	// Answers are what programs and files said, by the names that the constants below give them.
	Answers map[string]Answer `json:"answers"`
	Env     map[string]string `json:"env,omitempty"` // proxies, upper case
	// VagrantHome is where Vagrant keeps boxes; MachineFolder is where VirtualBox keeps machines.
	VagrantHome   string `json:"vagrant_home,omitempty"`
	MachineFolder string `json:"machine_folder,omitempty"`

	Cores       int         `json:"cores"`
	MemoryTotal int64       `json:"memory_total"`        // bytes; 0: not known
	MemoryFree  int64       `json:"memory_free"`         // bytes that programs could have; 0: not known
	DiskFree    int64       `json:"disk_free,omitempty"` // bytes, in MachineFolder; 0: not known
	Interfaces  []Interface `json:"interfaces,omitempty"`

	// What was tried for one lab.
	PortsTaken     []int    `json:"ports_taken,omitempty"`     // of those pinned for its machines
	AddressesTaken []string `json:"addresses_taken,omitempty"` // of its nodes, where something answers on SSH's port
	FoldersTaken   []string `json:"folders_taken,omitempty"`   // machine folders of its nodes that are there
	BoxHere        bool     `json:"box_here,omitempty"`
	ClockAhead     int64    `json:"clock_ahead,omitempty"` // seconds before the box server's clock; 0 too when it was not asked
}

// Answer is what a program or a file said.
type Answer struct {
	Out     string `json:"out,omitempty"` // of programs standard output
	Err     string `json:"err,omitempty"` // of programs standard error
	Code    int    `json:"code,omitempty"`
	Missing bool   `json:"missing,omitempty"` // no such program or file
}

// Interface is a network card of this computer with its addresses.
type Interface struct {
	Name     string         `json:"name"`
	Prefixes []netip.Prefix `json:"prefixes"`
}

// The names of answers.
const (
	vboxVersion    = "VBoxManage --version"
	vboxVMs        = "VBoxManage list vms"
	vboxRunning    = "VBoxManage list runningvms"
	vboxHostOnly   = "VBoxManage list hostonlyifs"
	vboxProperties = "VBoxManage list systemproperties"
	vagrantVersion = "vagrant --version"
	vagrantPlugins = "vagrant plugin list"
	virshVersion   = "virsh version"
	boxServer      = "box server"

	kernelVersion = "/proc/version"
	kernelModules = "/proc/modules"
	kvmAtLoad     = "/sys/module/kvm/parameters/enable_virt_at_load"
	cpuInfo       = "/proc/cpuinfo"
	memInfo       = "/proc/meminfo"
	vboxNetworks  = "/etc/vbox/networks.conf"
	resolvConf    = "/etc/resolv.conf"
	kvmDevice     = "/dev/kvm"
	linuxRoutes   = "/proc/net/route"

	windowsSystem = "Win32_ComputerSystem, Win32_Processor, Win32_DeviceGuard, Win32_OperatingSystem"
	windowsRoutes = "Get-NetRoute"

	macSystem = "sysctl hw"
	macMemory = "vm_stat"
	macRoutes = "netstat -rn -f inet"
)

// Need is the lab that the computer shall carry. An empty one asks for the programs only.
type Need struct {
	Lab      lab.Lab
	Folder   string // the lab's, absolute
	Machines []lab.Machine
	Ports    map[string]int    // pinned SSH ports by node
	IDs      map[string]string // machines that Vagrant has made, by node
}

// provider is that of the lab, VirtualBox when there is none.
func (n Need) provider() string {
	if n.Lab.Provider == "" {
		return lab.ProviderVirtualBox
	}
	return n.Lab.Provider
}

// vmName is a node's name at the hypervisor.
func (n Need) vmName(node string) string { return n.Lab.Name + "-" + node }
