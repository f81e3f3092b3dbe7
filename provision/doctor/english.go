package doctor

func english() language {
	return language{
		code:       "en",
		severities: map[Severity]string{Blocks: "blocks", Warning: "warning", Note: "note"},
		findings:   englishFindings(),
		blocked:    "{1} of {2} problems must be fixed before you can create a lab",
		ready:      "nothing stands in the way of {1}: {2}",
		fine:       "nothing stands in the way of labs here; for a lab of yours: podium doctor LAB",
		nothing:    "nothing to check: a lab with provider {1} needs neither VirtualBox nor Vagrant",
	}
}

func englishFindings() map[string]wording {
	return map[string]wording{
		"wsl": {
			title:   "podium runs inside WSL2",
			meaning: "VirtualBox needs the computer's hardware and runs on Windows only, not inside WSL2.",
			fix:     "Open PowerShell or Windows Terminal, install VirtualBox and Vagrant for Windows, and run podium.exe there.",
		},
		"virtualbox-missing": {
			title:   "VirtualBox is not installed",
			meaning: "VirtualBox makes the lab's machines.",
			linux:   "Install it from your distribution or from https://www.virtualbox.org/wiki/Linux_Downloads",
			mac:     "brew install --cask virtualbox, or https://www.virtualbox.org/wiki/Downloads",
			windows: "winget install Oracle.VirtualBox, or https://www.virtualbox.org/wiki/Downloads; then open a new terminal.",
		},
		"virtualbox-broken": {
			title:   "VBoxManage does not tell its version: {1}",
			meaning: "VirtualBox is there but does not work.",
			fix:     "Install VirtualBox again and restart the computer.",
		},
		"virtualbox-old": {
			title:   "VirtualBox {1} is old",
			meaning: "podium is made for VirtualBox 7.0 to 7.2; 6.1 may work, older ones do not.",
			fix:     "Update VirtualBox and Vagrant: https://www.virtualbox.org/wiki/Downloads",
		},
		"kernel-module": {
			title:   "VirtualBox's kernel module is not loaded",
			meaning: "No machine can start without it. After a kernel update, or with Secure Boot on, it is often missing.",
			fix:     "sudo apt install linux-headers-$(uname -r) && sudo /sbin/vboxconfig. With Secure Boot: sign the module (sudo mokutil --import /var/lib/shim-signed/mok/MOK.der, then restart), or turn Secure Boot off.",
		},
		"apple-silicon": {
			title:   "VirtualBox {1} on a Mac with Apple Silicon",
			meaning: "Only VirtualBox 7.1 and later work on these processors, with boxes for arm64.",
			fix:     "Install VirtualBox 7.2 for macOS / Apple Silicon hosts: https://www.virtualbox.org/wiki/Downloads",
		},
		"apple-silicon-box": {
			title:   "The box {1} may not exist for Apple Silicon",
			meaning: "A box for another processor does not start on this Mac.",
			fix:     "Use `box: bento/ubuntu-24.04`, which exists for arm64, or make sure that yours does.",
		},
		"vagrant-missing": {
			title:   "Vagrant is not installed",
			meaning: "Vagrant boots the lab's machines.",
			linux:   "https://developer.hashicorp.com/vagrant/install (the distribution's own is often too old for VirtualBox 7.1 and 7.2)",
			mac:     "brew install hashicorp/tap/hashicorp-vagrant, or https://developer.hashicorp.com/vagrant/install",
			windows: "winget install Hashicorp.Vagrant, or https://developer.hashicorp.com/vagrant/install; then open a new terminal.",
		},
		"vagrant-broken": {
			title:   "Vagrant does not tell its version: {1}",
			meaning: "Vagrant is there but does not work.",
			fix:     "Install Vagrant again; if plugins are at fault: vagrant plugin repair",
		},
		"pair": {
			title:   "Vagrant {2} does not know VirtualBox {1}",
			meaning: "Vagrant refuses a VirtualBox that is newer than itself.",
			fix:     "Update Vagrant to {3} or later: https://developer.hashicorp.com/vagrant/install",
		},
		"pair-unknown": {
			title:   "VirtualBox {1} is newer than podium knows",
			meaning: "Vagrant {2} may refuse it.",
			fix:     "If it does, update Vagrant, or install VirtualBox 7.2.",
		},
		"virtualisation-off": {
			title:   "The processor's virtualisation (VT-x or AMD-V) is off",
			meaning: "64-bit machines cannot start.",
			linux:   "Turn on Intel VT-x or AMD SVM in the firmware setup (F2, F10 or Del while the computer starts). In a virtual machine: turn on nested virtualisation.",
			windows: "Turn on Intel VT-x or AMD SVM in the firmware setup: Settings, System, Recovery, Advanced startup, UEFI Firmware Settings.",
		},
		"hyper-v": {
			title:   "{1} holds the processor's virtualisation",
			meaning: "VirtualBox then runs on top of Hyper-V: slowly (a green turtle in its status bar), and some machines hang.",
			fix: "As administrator: bcdedit /set hypervisorlaunchtype off; turn off Memory integrity (Windows Security, Device security, Core isolation); restart. " +
				"WSL2 and Docker Desktop need it back: bcdedit /set hypervisorlaunchtype auto",
		},
		"kvm": {
			title:   "KVM holds VT-x (Linux {1}, VirtualBox {2})",
			meaning: "Since Linux 6.12 the module kvm takes the processor's virtualisation at once; VirtualBox before 7.2.10 cannot start a machine then (VERR_VMX_IN_VMX_ROOT_MODE).",
			fix:     "Now: sudo modprobe -r kvm_intel kvm_amd kvm. For good: echo 'options kvm enable_virt_at_load=0' | sudo tee /etc/modprobe.d/virtualbox-kvm.conf, and restart. Or update VirtualBox to 7.2.10.",
		},
		"kvm-released": {
			title:   "KVM is told not to hold VT-x (Linux {1}, VirtualBox {2})",
			meaning: "From 7.2.10 on VirtualBox shares the processor's virtualisation with KVM and expects KVM to hold it.",
			fix:     "Remove enable_virt_at_load=0 from /etc/modprobe.d and from the kernel's command line, and restart.",
		},
		"libvirt-system": {
			title:   "libvirt runs on Linux only",
			meaning: "This computer cannot carry a lab with `provider: libvirt`.",
			fix:     "Use `provider: virtualbox`.",
		},
		"libvirt-missing": {
			title:   "libvirt is not installed",
			meaning: "libvirt makes the lab's machines.",
			fix:     "sudo apt install libvirt-daemon-system libvirt-clients qemu-system-x86 vagrant-libvirt",
		},
		"libvirt-refuses": {
			title:   "libvirt does not answer: {1}",
			meaning: "Without it no machine can be made.",
			fix:     "sudo systemctl enable --now libvirtd && sudo adduser $USER libvirt, then log out and in again.",
		},
		"libvirt-plugin": {
			title:   "Vagrant's libvirt plugin is not installed",
			meaning: "Vagrant cannot talk to libvirt without it.",
			fix:     "sudo apt install vagrant-libvirt, or: vagrant plugin install vagrant-libvirt",
		},
		"libvirt-slow": {
			title:   "There is no /dev/kvm",
			meaning: "Machines are emulated, ten times slower.",
			fix:     "Turn on VT-x or AMD-V in the firmware setup; in a virtual machine, nested virtualisation.",
		},
		"name-taken": {
			title:   "A VirtualBox machine called {1} exists already",
			meaning: "It is not this lab's: left from a lab whose .podium was deleted, or another lab's of the same name ({2}).",
			fix:     "podium destroy --orphans removes it. If somebody needs it, give this lab another `name:`.",
		},
		"folder-taken": {
			title:   "The folder {1} is in the way",
			meaning: "VirtualBox creates a machine's folder and stops when it exists. It was left by a machine that was not removed to the end.",
			linux:   "Look into it; if nobody needs it: rm -r '{1}'",
			mac:     "Look into it; if nobody needs it: rm -r '{1}'",
			windows: "Look into it; if nobody needs it: Remove-Item -Recurse '{1}'",
		},
		"left-clones": {
			title:   "Machines of broken boots are left: {1}",
			meaning: "They take space, and do no harm.",
			fix:     "If no vagrant runs: VBoxManage unregistervm NAME --delete",
		},
		"range": {
			title:   "VirtualBox does not allow the network {1}",
			meaning: "Host-only networks must lie inside {2}; /etc/vbox/networks.conf decides, and without it 192.168.56.0/21 is allowed.",
			fix:     "Choose a `network:` inside {2} in lab.yaml, or: sudo mkdir -p /etc/vbox && echo '* {1}' | sudo tee -a /etc/vbox/networks.conf",
		},
		"network-taken": {
			title:   "The lab's network {1} is this computer's own on {2} ({3})",
			meaning: "Packets to the machines would leave by that card.",
			fix:     "Choose another `network:` in lab.yaml, such as 192.168.57.0/24.",
		},
		"network-routed": {
			title:   "The lab's network {1} is routed to {3} ({2})",
			meaning: "A VPN or another route may take the packets meant for the machines.",
			fix:     "Choose another `network:` in lab.yaml, or leave the VPN while the lab runs.",
		},
		"address-taken": {
			title:   "Something answers already at {1}",
			meaning: "Another lab with the same network runs, or a computer has these addresses.",
			fix:     "Halt the other lab (podium halt in its folder), or choose another `network:` in lab.yaml.",
		},
		"port-taken": {
			title:   "Port {1}, which led to {2}, is used by another program",
			meaning: "podium up chooses another port by itself.",
			fix:     "Nothing to do.",
		},
		"memory": {
			title:   "The lab wants {1} of memory, this computer has {2}",
			meaning: "The computer would stand still, swapping. Its own system needs 2 GiB beside the lab.",
			fix:     "Use a smaller lab, fewer nodes, or less `memory:` for each.",
		},
		"memory-free": {
			title:   "The lab wants {1} of memory, {2} are free",
			meaning: "The computer will be slow while the lab runs.",
			fix:     "Close the browser and other programs, or give the nodes less `memory:`.",
		},
		"processors": {
			title:   "{1} wants {2} processors, this computer has {3}",
			meaning: "VirtualBox warns of it, and the machine becomes slow.",
			fix:     "Write `cpus: {3}` or less for it.",
		},
		"disk": {
			title:   "{1} of disk are free in {2}, the lab will take about {3}",
			meaning: "A machine whose disk cannot grow stops in the middle of its work.",
			fix:     "Free some space, or move VirtualBox's folder: VBoxManage setproperty machinefolder FOLDER",
		},
		"box-download": {
			title:   "The box {1} will be downloaded",
			meaning: "Some hundred MB, once for this computer.",
			fix:     "In a classroom: give everybody the file, and: vagrant box add {1} FILE",
		},
		"box-unreachable": {
			title:   "The box {1} is not here and cannot be downloaded: {2}",
			meaning: "Without the box no machine can be made.",
			fix:     "Check the network and the proxy (HTTPS_PROXY), or take the box's file from a colleague: vagrant box add {1} FILE",
		},
		"non-ascii": {
			title:   "The folder {1} has letters beyond ASCII in its name",
			meaning: "Vagrant and VirtualBox fail on such folders, on Windows above all.",
			fix:     "Use plain folders: set VAGRANT_HOME to one, and: VBoxManage setproperty machinefolder FOLDER",
			windows: "setx VAGRANT_HOME C:\\vagrant, and: VBoxManage setproperty machinefolder C:\\VMs; then open a new terminal.",
		},
		"long-folder": {
			title:   "The path of the lab's folder has {1} characters",
			meaning: "Many programs of Windows take paths of 259 characters, and what Vagrant keeps of a machine lies {2} deeper.",
			fix:     "Move the lab to a folder with a shorter path, such as C:\\labs\\{3}",
		},
		"proxy": {
			title:   "This computer uses the proxy {1}, the lab does not",
			meaning: "The machines would try to reach the internet directly.",
			fix:     "Add to lab.yaml: proxy: {http: \"{1}\"}. A proxy on this computer itself is 10.0.2.2 for the machines.",
		},
		"clock": {
			title:   "This computer's clock is off by {1}",
			meaning: "Certificates and package lists are refused as too old or from the future; the machines take over its time.",
			linux:   "sudo timedatectl set-ntp true",
			mac:     "sudo sntp -sS time.apple.com",
			windows: "w32tm /resync as administrator",
		},
		"name-server": {
			title:   "VirtualBox {1} may hand 127.0.0.53 to the machines as their name server",
			meaning: "They then find no name at all (VirtualBox issue 205).",
			fix:     "Add resolvers to lab.yaml: dns: [1.1.1.1, 8.8.8.8]",
		},
	}
}
