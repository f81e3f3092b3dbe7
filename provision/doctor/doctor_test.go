package doctor

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/lab"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// need is a lab of three machines.
func need(change func(*Need)) Need {
	n := Need{
		Lab:   lab.Lab{Name: "k8s", Provider: lab.ProviderVirtualBox, Box: "bento/ubuntu-24.04", Network: "192.168.56.0/24"},
		Ports: map[string]int{"cp": 22010, "w1": 22011, "w2": 22012},
		IDs:   map[string]string{"w1": "57015acf-ca2f-4975-aebe-a6792c901b72"},
	}
	for i, name := range []string{"cp", "w1", "w2"} {
		n.Machines = append(n.Machines, lab.Machine{Name: name, CPUs: 2, Memory: 2 * lab.GiB, Address: netip.AddrFrom4([4]byte{192, 168, 56, byte(10 + i)})})
	}
	if change != nil {
		change(&n)
	}
	return n
}

func facts(t *testing.T, name string) Facts {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f Facts
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFindings lists, for computers of three systems, what is found.
func TestFindings(t *testing.T) {
	tests := []struct {
		facts string
		need  Need
		want  string // severity:id, in order
	}{
		{"linux-ready", need(nil), ""},
		{"linux-ready", Need{}, ""},
		{"linux-nothing", need(nil), "blocks:virtualbox-missing blocks:vagrant-missing"},
		{"linux-kvm", need(nil), "blocks:kvm"},
		{"linux-kvm-new-virtualbox", need(nil), "warning:kvm-released"},
		{"linux-module", need(nil), "blocks:kernel-module"},
		{"linux-debian-vagrant", need(nil), "blocks:pair warning:name-server"},
		{"linux-debian-vagrant", need(func(n *Need) { n.Lab.DNS = []string{"1.1.1.1"} }), "blocks:pair"},
		{"linux-networks", need(nil), "blocks:range blocks:network-taken blocks:address-taken warning:network-routed note:port-taken"},
		{"linux-small", need(nil), "blocks:memory blocks:disk blocks:box-unreachable warning:processors warning:processors warning:processors warning:proxy warning:clock"},
		{"linux-small", Need{}, "warning:clock"},
		{"linux-leftovers", need(nil), "blocks:name-taken blocks:folder-taken warning:left-clones"},
		{"linux-running", need(func(n *Need) {
			n.IDs["cp"], n.IDs["w2"] = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000003"
		}), ""},
		{"linux-wsl2", need(nil), "blocks:wsl"},
		{"linux-libvirt", need(func(n *Need) { n.Lab.Provider = lab.ProviderLibvirt }), "blocks:libvirt-refuses blocks:libvirt-plugin warning:libvirt-slow"},
		{"windows-ready", need(nil), ""},
		{"windows-ready", need(func(n *Need) { n.Lab.Network = "10.99.0.0/24"; n.Machines = n.Machines[:1] }), ""},
		{"windows-ready", need(func(n *Need) { n.Lab.Provider = lab.ProviderLibvirt }), "blocks:libvirt-system"},
		{"windows-hyperv-korean", need(nil), "blocks:folder-taken blocks:non-ascii warning:hyper-v warning:network-routed"},
		{"windows-firmware", need(func(n *Need) { n.Machines = n.Machines[:1] }), "blocks:virtualisation-off"},
		{"darwin-ready", need(func(n *Need) { n.Machines = n.Machines[:2] }), ""},
		{"darwin-ready", need(nil), "warning:memory-free"},
		{"darwin-apple-silicon", need(func(n *Need) { n.Lab.Box = "someone/ubuntu"; n.Machines = n.Machines[:1] }),
			"blocks:apple-silicon warning:network-routed warning:apple-silicon-box"},
	}
	for _, test := range tests {
		t.Run(test.facts, func(t *testing.T) {
			var got []string
			for _, f := range Check(facts(t, test.facts), test.need, "en") {
				got = append(got, string(f.Severity)+":"+f.ID)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOtherCard: a card that is not VirtualBox's own is told from it, although both have names that Windows made.
func TestOtherCard(t *testing.T) {
	f := facts(t, "windows-ready")
	f.Interfaces = append(f.Interfaces, Interface{Name: "Ethernet 4", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.56.20/24")}})
	findings := Check(f, need(nil), "en")
	if len(findings) != 1 || findings[0].ID != "network-taken" || !strings.Contains(findings[0].Title, "Ethernet 4") {
		t.Errorf("got %v, want network-taken by Ethernet 4", findings)
	}
}

// TestWords shows what people read, in both languages.
func TestWords(t *testing.T) {
	for _, name := range []string{"linux-kvm", "linux-networks", "linux-small", "windows-hyperv-korean", "darwin-apple-silicon"} {
		for _, language := range []string{"en", "ko"} {
			var b strings.Builder
			findings := Check(facts(t, name), need(nil), language)
			for _, f := range findings {
				fmt.Fprintf(&b, "%s %s\n  %s\n  %s\n  %s\n", f.Severity.In(language), f.ID, f.Title, f.Meaning, f.Fix)
			}
			fmt.Fprintln(&b, Verdict(findings, need(nil), "podium up", language))
			golden := filepath.Join("testdata", name+"."+language+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s differs (-want +got); if it should, run go test ./provision/doctor -update:\n%s", golden, diff)
			}
		}
	}
}

// TestWordings checks that each language knows every finding, on every system, with the same values, and all else that
// the doctor says.
func TestWordings(t *testing.T) {
	places := regexp.MustCompile(`\{\d\}`)
	values := func(text string) string {
		all := places.FindAllString(text, -1)
		slices.Sort(all)
		return strings.Join(all, "")
	}
	en := in("en")
	for _, l := range languages() {
		for _, s := range []Severity{Blocks, Warning, Note} {
			if s.In(l.code) == "" {
				t.Errorf("%s: no word for %s", l.code, s)
			}
		}
		for _, pair := range [][2]string{{en.blocked, l.blocked}, {en.ready, l.ready}, {en.fine, l.fine}, {en.nothing, l.nothing}} {
			if pair[1] == "" || values(pair[0]) != values(pair[1]) {
				t.Errorf("%s: %q has other values than %q", l.code, pair[1], pair[0])
			}
		}
		for id := range l.findings {
			if !slices.Contains(IDs(), id) {
				t.Errorf("%s: %s is not a finding", l.code, id)
			}
		}
		for _, id := range IDs() {
			w := l.findings[id]
			if (values(w.title) == "") != (values(en.findings[id].title) == "") {
				t.Errorf("%s: %s: the title has other values: %q, %q", l.code, id, w.title, en.findings[id].title)
			}
			if w.title == "" || w.meaning == "" {
				t.Errorf("%s: %s: no title or meaning: %+v", l.code, id, w)
			}
			if id == "virtualisation-off" {
				continue // not asked on macOS
			}
			for _, os := range []string{"linux", "darwin", "windows"} {
				if w.on(os) == "" {
					t.Errorf("%s: %s: no fix on %s", l.code, id, os)
				}
			}
		}
	}
}

// TestReadmeNamesEveryFinding compares the table in README.md with the findings.
func TestReadmeNamesEveryFinding(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range IDs() {
		if strings.HasPrefix(id, "libvirt-") { // one row stands for these
			id = "libvirt-*"
		}
		if !strings.Contains(string(text), "`"+id+"`") {
			t.Errorf("README.md does not say what to do about %s", id)
		}
	}
}

func TestVersions(t *testing.T) {
	for text, want := range map[string]string{
		"7.0.20r163906\n": "7.0.20", "7.2.4_Ubuntur170995\r\n": "7.2.4", "Vagrant 2.4.9\n": "2.4.9", "WARNING: 6.8.0 x\n7.1.0r1\n": "7.1.0", "nothing": "", "": "",
	} {
		if got := parseVersion(text).String(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, test := range []struct{ asked, lcAll, lang, system, want string }{
		{"ko", "en_US.UTF-8", "", "", "ko"}, {"", "", "ko_KR.UTF-8", "", "ko"}, {"", "C", "ko_KR.UTF-8", "", "en"}, {"", "", "", "ko-KR", "ko"}, {"", "", "", "", "en"},
	} {
		env := map[string]string{"LC_ALL": test.lcAll, "LANG": test.lang}
		if got, err := Language(test.asked, func(k string) string { return env[k] }, test.system); got != test.want || err != nil {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
	}
	if _, err := Language("de", os.Getenv, ""); err == nil {
		t.Error("de is not a language of podium")
	}
}

func TestBootParallel(t *testing.T) {
	machines := []lab.Machine{{Memory: 2 * lab.GiB}, {Memory: lab.GiB}}
	for _, test := range []struct {
		cores int
		free  lab.Size
		want  int
	}{{2, 64 * lab.GiB, 4}, {2, 5 * lab.GiB, 2}, {8, 64 * lab.GiB, 8}, {4, lab.GiB, 1}, {4, 0, 8}, {0, 0, 2}} {
		if got := BootParallel(Facts{Cores: test.cores, MemoryFree: int64(test.free)}, machines); got != test.want {
			t.Errorf("%d cores, %s free: %d, want %d", test.cores, test.free, got, test.want)
		}
	}
}

// TestCollect asks this computer, whatever it has: it must not fail, and what it says must be whole.
func TestCollect(t *testing.T) {
	f := Collect(t.Context(), Need{})
	if f.Cores < 1 || f.OS == "" || f.MemoryTotal < 1<<28 {
		t.Errorf("%+v", f)
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back Facts
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	_ = Check(back, Need{}, "en")
}

func FuzzCheck(f *testing.F) {
	f.Add("7.0.20r163906", `"a" {b}`, "Iface\nwlan0\t0001A8C0\t0\t1\t0\t0\t6\t00FFFFFF", "192.168.56.0/24")
	f.Fuzz(func(t *testing.T, version, vms, routes, network string) {
		for _, os := range []string{"linux", "darwin", "windows"} {
			a := Answer{Out: routes}
			facts := Facts{OS: os, Arch: "amd64", Answers: map[string]Answer{
				vboxVersion: {Out: version}, vagrantVersion: {Out: version}, vboxVMs: {Out: vms}, linuxRoutes: a, macRoutes: a, windowsRoutes: a,
				windowsSystem: a, macSystem: a, kernelVersion: {Out: version}, vboxNetworks: a,
			}}
			for _, found := range Check(facts, need(func(n *Need) { n.Lab.Network = network }), "ko") {
				if found.Title == "" || found.Meaning == "" {
					t.Errorf("%+v", found)
				}
			}
		}
	})
}
