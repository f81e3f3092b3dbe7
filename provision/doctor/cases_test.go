package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"podium/provision/lab"
)

// Where the outputs in this file were seen or read.
const (
	manual7      = "https://www.virtualbox.org/manual/ch06.html (VirtualBox manual, networking)"
	captured     = "captured on Debian 12: VirtualBox 7.2.22's userland from Debian sid, vagrant 2.3.4, vagrant-libvirt 0.11.2, libvirt 9.0"
	loaderLinux  = "ld.so(8): the message of a missing library"
	loaderMac    = "dyld(1): the message of a missing library"
	loaderWin    = "https://learn.microsoft.com/openspecs/windows_protocols/ms-erref (STATUS_DLL_NOT_FOUND, 0xC0000135)"
	vagrantTexts = "https://github.com/hashicorp/vagrant/blob/main/templates/locales/en.yml (plugin_init_error)"
	ciQuestion   = "https://learn.microsoft.com/windows/win32/cimwin32prov/win32-computersystem, -processor, win32-deviceguard"
	ciRoutes     = "https://learn.microsoft.com/powershell/module/nettcpip/get-netroute"
	kvmNews      = "https://www.virtualbox.org/wiki/Changelog-7.2 and Linux 6.12's kvm.enable_virt_at_load"
	macTools     = "sysctl(8), vm_stat(1), netstat(1) of macOS"
	goNet        = "errors of Go's net package"
	plain        = "no program's words: what podium itself counted or tried"
)

// cases are, for each finding, a computer of each system that it concerns: the ready one with what makes the finding.
var cases = []struct {
	finds  string
	on     []string // systems
	source string
	facts  func(*Facts)
	need   func(*Need)
}{
	{finds: "wsl", on: linux, source: "https://github.com/microsoft/WSL (uname of its kernels)",
		facts: says(kernelVersion, "Linux version 6.6.87.2-microsoft-standard-WSL2 (root@439a258ad544) (gcc (GCC) 11.2.0, GNU ld (GNU Binutils) 2.37) #1 SMP PREEMPT_DYNAMIC Thu Jun  5 18:30:46 UTC 2025\n")},
	{finds: "virtualbox-missing", on: every, source: plain, facts: answers(vboxVersion, Answer{Missing: true})},
	{finds: "virtualbox-broken", on: linux, source: loaderLinux, facts: answers(vboxVersion, Answer{Code: 127,
		Err: "/usr/lib/virtualbox/VBoxManage: error while loading shared libraries: VBoxRT.so: cannot open shared object file: No such file or directory\n"})},
	{finds: "virtualbox-broken", on: mac, source: loaderMac, facts: answers(vboxVersion, Answer{Code: -1,
		Err: "dyld[1234]: Library not loaded: @rpath/VBoxRT.dylib\n  Referenced from: /Applications/VirtualBox.app/Contents/MacOS/VBoxManage\n"})},
	{finds: "virtualbox-broken", on: win, source: loaderWin, facts: answers(vboxVersion, Answer{Code: -1073741515})},
	{finds: "virtualbox-old", on: every, source: captured + " (form); https://www.virtualbox.org/wiki/Download_Old_Builds (version)",
		facts: says(vboxVersion, "6.1.50r161033\n")},
	{finds: "kernel-module", on: linux, source: captured, facts: answers(vboxVersion, Answer{Code: 3,
		Out: "WARNING: The character device /dev/vboxdrv does not exist.\n\t Please install the virtualbox-dkms package and the appropriate\n\t headers, most likely linux-headers-generic.\n\n\t You will not be able to start VMs until this problem is fixed.\n"})},
	{finds: "apple-silicon", on: mac, source: captured + " (form)", facts: func(f *Facts) {
		f.Arch = "arm64"
		says(vboxVersion, "7.0.20r163906\n")(f)
	}},
	{finds: "apple-silicon-box", on: mac, source: plain, facts: func(f *Facts) { f.Arch = "arm64" }, need: func(n *Need) { n.Lab.Box = "someone/ubuntu" }},
	{finds: "vagrant-missing", on: every, source: plain, facts: answers(vagrantVersion, Answer{Missing: true})},
	{finds: "vagrant-broken", on: every, source: vagrantTexts, facts: answers(vagrantVersion, Answer{Code: 1,
		Err: "The plugins failed to initialize correctly. This may be due to manual\nmodifications made within the Vagrant home directory.\n"})},
	{finds: "pair", on: every, source: captured, facts: both(says(vboxVersion, "7.2.22r175245\n"), says(vagrantVersion, "Vagrant 2.3.4\n"))},
	{finds: "pair-unknown", on: every, source: captured + " (form)", facts: says(vboxVersion, "7.3.0r180000\n")},
	{finds: "virtualisation-off", on: linux, source: "proc(5): /proc/cpuinfo", facts: says(cpuInfo, "processor\t: 0\nflags\t\t: fpu vme de pse tsc msr\n")},
	{finds: "virtualisation-off", on: win, source: ciQuestion, facts: says(windowsSystem,
		`{"HypervisorPresent":false,"VirtualizationFirmwareEnabled":false,"VirtualizationBasedSecurityStatus":0,"TotalVisibleMemorySize":16561020,"FreePhysicalMemory":9123456}`+"\r\n")},
	{finds: "hyper-v", on: win, source: ciQuestion, facts: says(windowsSystem,
		`{"HypervisorPresent":true,"VirtualizationFirmwareEnabled":false,"VirtualizationBasedSecurityStatus":2,"TotalVisibleMemorySize":16561020,"FreePhysicalMemory":9123456}`+"\r\n")},
	{finds: "kvm", on: linux, source: kvmNews, facts: kvm("7.2.4r170995\n", "Y\n")},
	{finds: "kvm-released", on: linux, source: kvmNews, facts: kvm("7.2.10r173000\n", "N\n")},
	{finds: "libvirt-system", on: []string{"darwin", "windows"}, source: plain, need: libvirt},
	{finds: "libvirt-missing", on: linux, source: plain, need: libvirt, facts: answers(virshVersion, Answer{Missing: true})},
	{finds: "libvirt-refuses", on: linux, source: captured, need: libvirt, facts: answers(virshVersion, Answer{Code: 1,
		Err: "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory\n"})},
	{finds: "libvirt-plugin", on: linux, source: captured + " (form)", need: libvirt, facts: both(says(virshVersion, ""), says(vagrantPlugins, "vagrant-share (2.0.0, global)\n"))},
	{finds: "libvirt-slow", on: linux, source: plain, need: libvirt, facts: both(says(virshVersion, ""), answers(kvmDevice, Answer{Missing: true}))},
	{finds: "name-taken", on: every, source: captured, facts: says(vboxVMs, "\"k8s-cp\" {11111111-2222-4333-8444-555555555555}\n")},
	{finds: "folder-taken", on: []string{"linux", "darwin"}, source: captured, facts: func(f *Facts) { f.FoldersTaken = []string{"/home/kim/VirtualBox VMs/k8s/k8s-cp"} }},
	{finds: "folder-taken", on: win, source: plain, facts: func(f *Facts) { f.FoldersTaken = []string{`C:\Users\kim\VirtualBox VMs\k8s\k8s-cp`} }},
	{finds: "left-clones", on: every, source: captured, facts: says(vboxVMs, "\"temp_clone_1795200310148_88165\" {57015acf-ca2f-4975-aebe-a6792c901b73}\n")},
	{finds: "range", on: linux, source: manual7, need: network("10.99.0.0/24")},
	{finds: "range", on: mac, source: manual7, need: network("10.99.0.0/24"), facts: says(vboxVersion, "6.1.50r161033\n")},
	{finds: "network-taken", on: every, source: plain, facts: func(f *Facts) {
		f.Interfaces = append(f.Interfaces, Interface{Name: "office", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.56.20/22")}})
	}},
	{finds: "network-routed", on: linux, source: "proc(5): /proc/net/route", facts: says(linuxRoutes,
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\ntun0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n")},
	{finds: "network-routed", on: mac, source: macTools, facts: says(macRoutes,
		"Routing tables\n\nInternet:\nDestination        Gateway            Flags               Netif Expire\ndefault            192.168.0.1        UGScg                 en0       \n192.168.0/16       utun4              USc                 utun4       \n")},
	{finds: "network-routed", on: win, source: ciRoutes, facts: says(windowsRoutes, `{"DestinationPrefix":"192.168.0.0/16","InterfaceAlias":"VPN"}`+"\r\n")},
	{finds: "address-taken", on: every, source: plain, facts: func(f *Facts) { f.AddressesTaken = []string{"192.168.56.10"} }},
	{finds: "port-taken", on: every, source: plain, facts: func(f *Facts) { f.PortsTaken = []int{22010} }},
	{finds: "memory", on: every, source: plain, facts: func(f *Facts) { f.MemoryTotal = 4 << 30 }},
	{finds: "memory-free", on: every, source: plain, facts: func(f *Facts) { f.MemoryFree = 1 << 30 }},
	{finds: "processors", on: every, source: plain, facts: func(f *Facts) { f.Cores = 1 }},
	{finds: "disk", on: every, source: plain, facts: func(f *Facts) { f.DiskFree = 1 << 30 }},
	{finds: "box-download", on: every, source: plain, facts: func(f *Facts) { f.BoxHere = false }},
	{finds: "box-unreachable", on: every, source: goNet, facts: func(f *Facts) {
		f.BoxHere = false
		answers(boxServer, Answer{Code: 1, Err: `Head "https://vagrantcloud.com/bento/ubuntu-24.04": dial tcp: lookup vagrantcloud.com: no such host`})(f)
	}},
	{finds: "non-ascii", on: []string{"linux", "darwin"}, source: plain, facts: func(f *Facts) { f.VagrantHome = "/home/김철수/.vagrant.d" }},
	{finds: "non-ascii", on: win, source: plain, facts: func(f *Facts) { f.VagrantHome = `C:\Users\김철수\.vagrant.d` }},
	{finds: "long-folder", on: win, source: plain, need: func(n *Need) { n.Folder = `C:\` + strings.Repeat("실습", 100) }},
	{finds: "proxy", on: every, source: plain, facts: func(f *Facts) { f.Env = map[string]string{"HTTPS_PROXY": "http://proxy.school:3128"} }},
	{finds: "clock", on: every, source: plain, facts: func(f *Facts) { f.ClockAhead = -86400 }},
	{finds: "name-server", on: linux, source: "systemd-resolved.service(8): the stub's /etc/resolv.conf",
		facts: says(resolvConf, "nameserver 127.0.0.53\noptions edns0 trust-ad\n")},
}

// concerns says on which systems a finding can appear, where that is not all three.
var concerns = map[string][]string{
	"wsl": linux, "kernel-module": linux, "apple-silicon": mac, "apple-silicon-box": mac, "virtualisation-off": {"linux", "windows"}, "hyper-v": win, "long-folder": win,
	"kvm": linux, "kvm-released": linux, "libvirt-system": {"darwin", "windows"}, "libvirt-missing": linux, "libvirt-refuses": linux, "libvirt-plugin": linux,
	"libvirt-slow": linux, "range": {"linux", "darwin"}, "name-server": linux,
}

var (
	every = []string{"linux", "darwin", "windows"}
	linux = []string{"linux"}
	mac   = []string{"darwin"}
	win   = []string{"windows"}
)

func answers(name string, a Answer) func(*Facts) { return func(f *Facts) { f.Answers[name] = a } }

func says(name, out string) func(*Facts) { return answers(name, Answer{Out: out}) }

func both(a, b func(*Facts)) func(*Facts) {
	return func(f *Facts) {
		a(f)
		b(f)
	}
}

func kvm(box, atLoad string) func(*Facts) {
	return func(f *Facts) {
		says(vboxVersion, box)(f)
		says(kernelVersion, "Linux version 6.14.0-33-generic (buildd@lcy02) #33 SMP\n")(f)
		says(kernelModules, "kvm_intel 442368 0 - Live 0x0\nvboxdrv 131072 0 - Live 0x0\n")(f)
		says(kvmAtLoad, atLoad)(f)
	}
}

func libvirt(n *Need) { n.Lab.Provider = lab.ProviderLibvirt }

func network(prefix string) func(*Need) {
	return func(n *Need) {
		n.Lab.Network = prefix
		for i := range n.Machines {
			n.Machines[i].Address = netip.MustParsePrefix(prefix).Addr().Next().Next()
		}
	}
}

// TestEveryFinding makes each finding on each system that it concerns, and checks that the ready computer has it not.
func TestEveryFinding(t *testing.T) {
	has := func(f Facts, n Need, id string) bool {
		return slices.ContainsFunc(Check(f, n, "en"), func(f Finding) bool { return f.ID == id })
	}
	shown := map[string][]string{}
	for _, c := range cases {
		if c.source == "" {
			t.Errorf("%s: where do its facts come from?", c.finds)
		}
		for _, system := range c.on {
			n := need(c.need)
			if system == "darwin" {
				n.Machines = n.Machines[:2] // as many as darwin-ready has memory for
			}
			f := facts(t, system+"-ready")
			if c.need == nil && has(f, n, c.finds) {
				t.Errorf("%s-ready has %s already", system, c.finds)
			}
			if c.facts != nil {
				c.facts(&f)
			}
			if !has(f, n, c.finds) {
				t.Errorf("%s is not found on %s", c.finds, system)
			}
			shown[c.finds] = append(shown[c.finds], system)
		}
	}
	for _, id := range IDs() {
		systems, ok := concerns[id]
		if !ok {
			systems = every
		}
		for _, system := range systems {
			if !slices.Contains(shown[id], system) {
				t.Errorf("%s has no case on %s", id, system)
			}
		}
	}
}
