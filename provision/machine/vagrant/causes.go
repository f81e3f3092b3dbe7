package vagrant

import (
	"regexp"
	"strings"
)

// Vagrant's names of errors that podium treats specially.
const (
	classPrefix    = "Vagrant::Errors::"
	classLocked    = classPrefix + "MachineActionLockedError"
	classPortTaken = classPrefix + "ForwardPortCollision"
)

// cause is a failure whose reason is known. It fits by Vagrant's name of the error, or by its words; both are tried.
type cause struct {
	class string // without classPrefix; empty: only words
	words *regexp.Regexp
	means string
	fix   string
}

// causes is searched from the top: the more special ones stand first. The words are those of VirtualBox 7.0 to 7.2 and
// Vagrant 2.3 and 2.4.
var causes = []cause{
	{"", regexp.MustCompile(`VERR_VMX_IN_VMX_ROOT_MODE|VERR_SVM_IN_USE|VT-x is being used by another hypervisor|AMD-V is being used by another`),
		"KVM holds the processor's virtualisation", "stop KVM: `sudo modprobe -r kvm_intel kvm_amd kvm`; `podium doctor` says how to make it last"},
	{"", regexp.MustCompile(`VERR_VMX_NO_VMX|VERR_SVM_NO_SVM|VERR_VMX_MSR_ALL_VMX_DISABLED|VERR_SVM_DISABLED|VT-x is disabled in the BIOS|not available.*VT-x`),
		"the processor's virtualisation is off, or Hyper-V has it", "turn on VT-x or AMD-V (SVM) in the firmware setup; on Windows see `podium doctor`"},
	{"VirtualBoxKernelModuleNotLoaded", regexp.MustCompile(`VERR_VM_DRIVER_NOT_INSTALLED|vboxdrv.*not loaded|Kernel driver not installed|/dev/vboxdrv|kernel module is not loaded`),
		"VirtualBox's kernel module is not loaded", "run `sudo /sbin/vboxconfig` (macOS: allow it in System Settings, Privacy & Security; Windows: repair the installation)"},
	{"", regexp.MustCompile(`/dev/vboxnetctl`),
		"VirtualBox's network module is not loaded", "run `sudo modprobe vboxnetadp vboxnetflt`, or `sudo /sbin/vboxconfig`"},
	{"VirtualBoxInvalidHostSubnet", regexp.MustCompile(`(?s)not within the\s+allowed ranges|E_ACCESSDENIED.*(EnableStaticIPConfig|Hostonly)`),
		"VirtualBox does not allow this network for host-only cards", "use a network inside 192.168.56.0/21 in lab.yaml, or add a line for yours to /etc/vbox/networks.conf"},
	{"NetworkCollision", regexp.MustCompile(`host-only network.*collid`),
		"the lab's network is one this computer is connected to already", "choose another `network:` in lab.yaml"},
	{"ForwardPortCollision", nil,
		"a port of this computer that leads to the machine is taken",
		"run `podium up` again: it chooses another one for SSH; one of `forward:` has to be changed in lab.yaml"},
	{"VMNameExists", nil,
		"a machine of that name exists already", "remove it by `podium destroy --orphans` if nobody needs it, or give the lab another name"},
	{"VirtualBoxNameExists", regexp.MustCompile(`VERR_ALREADY_EXISTS`),
		"a folder of a former machine of that name is in the way", "`podium doctor` names the folder: remove it if nobody needs it"},
	{"BoxAddShortNotFound", regexp.MustCompile(`(?i)box .*could not be found`),
		"there is no box of that name, or the network does not reach it", "check `box:` in lab.yaml and the network; or take the box's file from a colleague: `vagrant box add NAME FILE`"},
	{"BoxAddNoMatchingProvider", nil,
		"the box does not exist for this provider or processor", "choose another `box:` in lab.yaml (Apple Silicon needs one with arm64)"},
	{"BoxAddNoMatchingVersion", nil,
		"the box has no such version", "choose another `box_version:` in lab.yaml, or leave it out"},
	{"BoxChecksumMismatch", nil,
		"the box arrived damaged", "run `podium up` again"},
	{"DownloaderError", nil,
		"the box could not be downloaded", "check the network and the proxy (HTTPS_PROXY), or take the box's file from a colleague: `vagrant box add NAME FILE`"},
	{"BoxMetadataDownloadError", nil,
		"the box's description could not be downloaded", "check the network and the proxy (HTTPS_PROXY), or take the box's file from a colleague: `vagrant box add NAME FILE`"},
	{"BoxUnpackageFailure", regexp.MustCompile(`(?i)no space left on device|VERR_DISK_FULL|not enough space`),
		"the disk is full", "free space where VirtualBox keeps its machines and Vagrant its boxes (VAGRANT_HOME)"},
	{"VirtualBoxInvalidVersion", regexp.MustCompile(`supports? the following versions|not supported by this version of Vagrant`),
		"this Vagrant does not know this VirtualBox", "update Vagrant: VirtualBox 7.2 needs 2.4.9, 7.1 needs 2.4.2"},
	{"VirtualBoxNotDetected", nil,
		"Vagrant does not find VirtualBox", "install VirtualBox, open a new terminal and run `podium doctor`"},
	{"MachineActionLockedError", nil,
		"another Vagrant works on this machine", "wait until it ends, or end it"},
	{"VirtualBoxUserMismatch", nil,
		"another user of this computer has made the machine", "run podium as that user, without sudo"},
	{"VMBootTimeout", nil,
		"the machine has started, but its SSH does not answer", "look at its screen in VirtualBox's window; a loaded computer needs fewer at once: --boot-parallel 1"},
	{"VMBootBadState", nil,
		"the machine went off while it booted", "start it in VirtualBox's window to see why; `podium doctor` checks the usual reasons"},
	{"VMInaccessible", nil,
		"VirtualBox cannot reach the machine's files", "look at it in VirtualBox's window; if they are gone: `podium destroy`, then `podium up`"},
	{"SSHAuthenticationFailed", nil,
		"the machine refuses Vagrant's key", "`podium destroy` this node and `podium up` again; the box may want another `user:`"},
	{"VagrantfileSyntaxError", nil,
		"the Vagrantfile cannot be read", "do not edit .podium/vagrant/Vagrantfile: podium writes it from lab.yaml"},
	{"", regexp.MustCompile(`VERR_NO_MEMORY|VERR_GMM_|not enough memory|insufficient memory`),
		"this computer has too little free memory", "close programs, or give the nodes less `memory:`"},
	{"", regexp.MustCompile(`Nonexistent host networking interface`),
		"the host-only network is gone", "run `podium up` again: Vagrant creates it again"},
	{"", regexp.MustCompile(`has terminated unexpectedly during startup`),
		"the machine's process died as it started", "see `podium doctor`; on Linux most often the kernel module is not loaded, on Windows a virus scanner or another hypervisor is in the way: VBoxHardening.log in the machine's folder names it"},
	{"", regexp.MustCompile(`VERR_ACCESS_DENIED`),
		"VirtualBox may not touch a file or device", "Linux: join the group vboxusers and log in again; macOS: allow VirtualBox in System Settings, Privacy & Security"},
	{"", regexp.MustCompile(`authentication unavailable|polkit|Failed to connect socket.*libvirt`),
		"libvirt does not let this user in", "join the group libvirt (`sudo adduser $USER libvirt`) and log in again"},
	{"", regexp.MustCompile(`provider '?libvirt'? could not be found|ProviderNotFound`),
		"Vagrant's libvirt plugin is missing", "install it: `vagrant plugin install vagrant-libvirt`, or apt install vagrant-libvirt"},
}

// explain looks the failure up in causes.
func (e *CommandError) explain() {
	class := strings.TrimPrefix(e.Class, classPrefix)
	for _, c := range causes {
		if class != "" && c.class == class || c.words != nil && c.words.MatchString(e.Message) {
			e.Cause, e.Fix = c.means, c.fix
			return
		}
	}
}
