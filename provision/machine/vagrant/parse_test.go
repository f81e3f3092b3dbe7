package vagrant

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSnapshots(t *testing.T) {
	text := `SnapshotName="base"
SnapshotUUID="fbf127fe"
SnapshotName-1="ready"
SnapshotUUID-1="03e5e4bd"
SnapshotDescription-1="x"
SnapshotName-1-1="ready"
SnapshotUUID-1-1="0ccc"
CurrentSnapshotName="ready"
CurrentSnapshotUUID="0ccc"
CurrentSnapshotNode="SnapshotName-1-1"
`
	want := []snapshot{{id: "fbf127fe", tag: "base"}, {id: "03e5e4bd", tag: "ready"}, {id: "0ccc", tag: "ready"}}
	if diff := cmp.Diff(want, parseSnapshots(text), cmp.AllowUnexported(snapshot{})); diff != "" {
		t.Error(diff)
	}
}

func TestParseInfo(t *testing.T) {
	info := parseInfo("name=\"lab-a1\"\r\nmemory=384\n\"SATA Controller-0-0\"=\"/a b/{50}.vmdk\"\nVMState=\"poweroff\"\nVMState=\"again\"\n rec_screen0\n")
	want := map[string]string{"name": "lab-a1", "memory": "384", "SATA Controller-0-0": "/a b/{50}.vmdk", "VMState": "poweroff"}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Error(diff)
	}
}

func TestParseDomains(t *testing.T) {
	want := map[string]string{"149c915f-270a-4c36-885c-8a5723773aeb": "lab-cp"}
	if diff := cmp.Diff(want, parseDomains("149c915f-270a-4c36-885c-8a5723773aeb lab-cp                        \n\n")); diff != "" {
		t.Error(diff)
	}
}

func TestParseHostOnly(t *testing.T) {
	text := "Name:            vboxnet0\nGUID:            786f6276-656e-4074-8000-0a0027000000\nDHCP:            Disabled\n" +
		"IPAddress:       192.168.56.1\nNetworkMask:     255.255.255.0\nIPV6Address:     fe80::1\nStatus:          Up\n\n" +
		"Name:            VirtualBox Host-Only Ethernet Adapter\r\nIPAddress:       10.1.0.1\r\nNetworkMask:     255.255.252.0\r\n"
	want := map[string]netip.Prefix{
		"vboxnet0":                              netip.MustParsePrefix("192.168.56.1/24"),
		"VirtualBox Host-Only Ethernet Adapter": netip.MustParsePrefix("10.1.0.1/22"),
	}
	if diff := cmp.Diff(want, ParseHostOnly(text), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// TestTranscript reads what Vagrant 2.3.4 has said at a real boot.
func TestTranscript(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "vagrant-up.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	booting := 0
	tr := newTranscript(func(u uiLine) {
		if u.booting() {
			booting++
		}
		if p := u.progress(); p != "" {
			shown = append(shown, p)
		}
	})
	for i := 0; i < len(text); i += 7 { // as it comes from a pipe
		if _, err := tr.Write(text[i:min(i+7, len(text))]); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"Preparing master VM for linked clones...", "Importing base box 'lab/debian'...", "Cloning VM...", "Forwarding ports...",
		"Running 'pre-boot' VM customizations...", "Booting VM...", "Waiting for machine to boot. This may take a few minutes...",
		"Inserting generated public key within guest...", "Machine booted and ready!", "Setting hostname...", "Configuring and enabling network interfaces...",
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	if booting != 1 {
		t.Errorf("%d lines say that the machine boots", booting)
	}
}

func TestCauses(t *testing.T) {
	tests := []struct{ class, message, want string }{
		{"VBoxManageError", "VBoxManage: error: VT-x is being used by another hypervisor (VERR_VMX_IN_VMX_ROOT_MODE).", "modprobe -r"},
		{"VBoxManageError", "VBoxManage: error: AMD-V is being used by another hypervisor (VERR_SVM_IN_USE)", "modprobe -r"},
		{"VBoxManageError", "VBoxManage: error: VT-x is not available (VERR_VMX_NO_VMX)", "firmware"},
		{"VirtualBoxInvalidHostSubnet", "The IP address configured for the host-only network is not within the\nallowed ranges.", "192.168.56.0/21"},
		{"VBoxManageError", "VBoxManage: error: Code E_ACCESSDENIED (0x80070005) - Access denied (extended info not available)\nVBoxManage: error: Context: \"EnableStaticIPConfig(Bstr(pszIp).raw(), Bstr(pszNetmask).raw())\" at line 242 of file VBoxManageHostonly.cpp", "192.168.56.0/21"},
		{"NetworkCollision", "The specified host network collides with a non-hostonly network!", "another `network:`"},
		{"ForwardPortCollision", "Vagrant cannot forward the specified ports on this VM", "another one"},
		{"BoxAddShortNotFound", "The box 'a/b' could not be found", "vagrant box add"},
		{"VirtualBoxInvalidVersion", "Vagrant has detected that you have a version of VirtualBox installed", "2.4.9"},
		{"VirtualBoxNameExists", "VERR_ALREADY_EXISTS", "doctor"},
		{"VBoxManageError", "VBoxManage: error: The virtual machine has terminated unexpectedly: kernel driver not installed? Kernel driver not installed (rc=-1908)", "vboxconfig"},
		// VirtualBox 7.2.22 without its kernel module, as vboxmanage-disks.sh meets it
		{"VBoxManageError", "VBoxManage: error: The virtual machine 'disks-extra' has terminated unexpectedly during startup with exit code 1 (0x1)\nVBoxManage: error: Details: code NS_ERROR_FAILURE (0x80004005), component MachineWrap, interface IMachine", "VBoxHardening.log"},
		{"BoxUnpackageFailure", "tar: No space left on device", "free space"},
	}
	for _, test := range tests {
		e := &CommandError{Program: "vagrant", Class: classPrefix + test.class, Message: test.message}
		e.explain()
		if !strings.Contains(e.Fix, test.want) {
			t.Errorf("%s: fix %q, want one with %q", test.message, e.Fix, test.want)
		}
	}
	unknown := &CommandError{Program: "vagrant", Args: []string{"up", "w1"}, Node: "w1", Code: 1, Message: "\n\nwho knows\nmore\n"}
	unknown.explain()
	if got := unknown.Error(); got != "w1: vagrant up w1: exit code 1: who knows more" {
		t.Errorf("got %q", got)
	}
}

func TestIsWSL(t *testing.T) {
	for text, want := range map[string]bool{
		"Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f) (gcc (GCC) 11.2.0)": true,
		"Linux version 6.8.0-45-generic (buildd@lcy02-amd64-115) (x86_64-linux-gnu-gcc-13)":       false,
		"": false,
	} {
		if IsWSL(text) != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
}

func TestBoxFolders(t *testing.T) {
	home := t.TempDir()
	for _, p := range []string{"bento-VAGRANTSLASH-ubuntu-24.04/1.0/virtualbox", "bento-VAGRANTSLASH-ubuntu-24.04/2.0/arm64/virtualbox", "bento-VAGRANTSLASH-ubuntu-24.04/3.0/libvirt"} {
		dir := filepath.Join(home, "boxes", filepath.FromSlash(p))
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "metadata.json"), []byte("{}"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for version, want := range map[string]int{"": 2, "1.0": 1, "2.0": 1, "3.0": 0, "9": 0} {
		if got := BoxFolders(home, "bento/ubuntu-24.04", version, "virtualbox"); len(got) != want {
			t.Errorf("version %q: %q, want %d", version, got, want)
		}
	}
	if got := BoxFolders(home, "no/box", "", "virtualbox"); got != nil {
		t.Error(got)
	}
}

// TestInstallKey runs the script as a node would.
func TestInstallKey(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: needs a Unix shell")
	}
	home := t.TempDir()
	file := filepath.Join(home, ".ssh", "authorized_keys")
	must(os.MkdirAll(filepath.Dir(file), 0o700))
	before := "ssh-rsa AAAAB3" + insecureRSA + "xyz somebody\nssh-ed25519 AAAAX " + insecureComment + "\nssh-rsa AAAAother vagrant\n"
	for _, start := range []string{before, ""} {
		must(os.WriteFile(file, []byte(start), 0o600))
		for range 2 {
			c := exec.CommandContext(t.Context(), "sh", "-c", installKey, "install-key", "ssh-ed25519 AAAAlab podium", insecureRSA, insecureComment)
			c.Env = append(os.Environ(), "HOME="+home)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		text, err := os.ReadFile(file)
		want := "ssh-ed25519 AAAAlab podium\n"
		if start != "" {
			want = "ssh-rsa AAAAother vagrant\n" + want
		}
		if err != nil || string(text) != want {
			t.Errorf("authorized_keys is %q, %v", text, err)
		}
	}
}

func FuzzTranscript(f *testing.F) {
	f.Add("1,cp,ui,info,==> cp: Booting VM...\n1,,error-exit,A::B,c\\nd\n")
	f.Add(",,,,\n\x00,\n")
	f.Fuzz(func(t *testing.T, text string) {
		tr := newTranscript(func(u uiLine) { _, _ = u.progress(), u.booting() })
		if n, err := tr.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
		e := &CommandError{}
		tr.explain(e, "")
		_ = e.Error()
	})
}
