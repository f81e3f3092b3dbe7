package step

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"podium/provision/lab"
)

func TestText(t *testing.T) {
	guest := fstest.MapFS{
		"a.sh":       {Data: []byte("#!/bin/bash\r\n. \"$(dirname \"$0\")/lib/one.sh\"\r\necho a\r\n")},
		"lib/one.sh": {Data: []byte("one() { :; }\n")},
		"b.sh":       {Data: []byte(". \"$(dirname \"$0\")/lib/none.sh\"\n")},
	}
	got, err := Text(guest, "a.sh")
	want := "#!/bin/bash\n# ---- lib/one.sh\none() { :; }\n# ---- end of lib/one.sh\necho a\n"
	if err != nil || got != want {
		t.Errorf("Text = %q, %v; want %q", got, err, want)
	}
	if _, err := Text(guest, "b.sh"); err == nil || !strings.Contains(err.Error(), "lib/none.sh") {
		t.Errorf("a library that is missing gives %v, which does not name it", err)
	}
}

func TestMentioned(t *testing.T) {
	v := Vars{"PODIUM_NODE": "w1", "PODIUM_NODE_EXPORTER_VERSION": "1", "PODIUM_HOSTS": "h", "PODIUM_LAB": "l"}
	got := v.Mentioned("echo $PODIUM_NODE_EXPORTER_VERSION", `echo "${PODIUM_HOSTS}" $PODIUM_LAB`)
	want := Vars{"PODIUM_NODE_EXPORTER_VERSION": "1", "PODIUM_HOSTS": "h", "PODIUM_LAB": "l"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func machines(addresses ...string) []lab.Machine {
	var ms []lab.Machine
	for i, a := range addresses {
		role := lab.RoleWorker
		if i == 0 {
			role = lab.RoleControlPlane
		}
		ms = append(ms, lab.Machine{Name: string(rune('a' + i)), Roles: []string{role}, Address: netip.MustParseAddr(a)})
	}
	return ms
}

func TestFreeAddress(t *testing.T) {
	for _, c := range []struct {
		network string
		taken   []string
		want    string
	}{
		{"192.168.56.0/24", []string{"192.168.56.10"}, "192.168.56.254"},
		{"192.168.56.0/24", []string{"192.168.56.254", "192.168.56.253"}, "192.168.56.252"},
		{"10.1.0.0/16", []string{"10.1.0.10"}, "10.1.255.254"},
		{"10.1.2.128/26", []string{"10.1.2.190"}, "10.1.2.189"},
	} {
		got := freeAddress(Context{Lab: lab.Lab{Network: c.network}, Machines: machines(c.taken...)})
		if got != c.want {
			t.Errorf("freeAddress(%s without %v) = %s, want %s", c.network, c.taken, got, c.want)
		}
	}
}

func TestHostsNameTheAPI(t *testing.T) {
	c := Context{Lab: lab.Lab{Kubernetes: &lab.Kubernetes{}}, Machines: machines("192.168.56.10", "192.168.56.11")}
	want := "192.168.56.10 a kube-api\n192.168.56.11 b"
	if got := hostLines(c); got != want {
		t.Errorf("hostLines = %q, want %q", got, want)
	}
}

func TestHostsNameTheVirtualAddress(t *testing.T) {
	c := Context{Lab: lab.Lab{Kubernetes: &lab.Kubernetes{VirtualAddress: "192.168.56.9"}}, Machines: machines("192.168.56.10", "192.168.56.11")}
	want := "192.168.56.10 a\n192.168.56.11 b\n192.168.56.9 kube-api"
	if got := hostLines(c); got != want {
		t.Errorf("hostLines = %q, want %q", got, want)
	}
}

// A control plane that fails its check comes behind all others, and every priority is one that VRRP has.
func TestPriorities(t *testing.T) {
	c := Context{Lab: lab.Lab{Network: "192.168.56.0/24", Kubernetes: &lab.Kubernetes{VirtualAddress: "192.168.56.9"}}}
	for i := range 7 {
		c.Machines = append(c.Machines, lab.Machine{Name: string(rune('a' + i)), Roles: []string{lab.RoleControlPlane}, Address: netip.AddrFrom4([4]byte{192, 168, 56, byte(10 + i)})})
	}
	var priorities []int
	for _, m := range c.Machines {
		priority, err := strconv.Atoi(keepalivedVars(c, m)["PODIUM_VRRP_PRIORITY"])
		if err != nil {
			t.Fatal(err)
		}
		priorities = append(priorities, priority)
	}
	const failed = 60
	for i, p := range priorities {
		if p < 1 || p > 254 || p-failed < 1 || i > 0 && p >= priorities[i-1] || priorities[0]-failed >= p {
			t.Errorf("priorities %v", priorities)
		}
	}
}

// A worker more touches only what must know of it: names, routes, the wait for all of them.
func TestAWorkerMoreTouchesLittle(t *testing.T) {
	l := lab.Lab{
		Name: "l", Network: "192.168.56.0/24", User: "vagrant", Runtime: lab.RuntimeContainerd,
		Kubernetes: &lab.Kubernetes{Version: "1.36", CNI: lab.CNIBridge, PodSubnet: "10.244.0.0/16", ServiceSubnet: "10.96.0.0/12"},
	}
	before := Context{Lab: l, Machines: machines("192.168.56.10", "192.168.56.11")}
	after := Context{Lab: l, Machines: machines("192.168.56.10", "192.168.56.11", "192.168.56.12")}
	touched := map[string]bool{}
	for _, row := range Catalogue() {
		for _, m := range before.Machines {
			if !row.On(before, m) {
				continue
			}
			if row.Vars != nil && !cmp.Equal(row.Vars(before, m), row.Vars(after, m)) || row.Files != nil && !cmp.Equal(row.Files(before, m), row.Files(after, m)) {
				touched[row.Name] = true
			}
		}
	}
	if diff := cmp.Diff(map[string]bool{"cni-bridge": true, "kube-ready": true}, touched); diff != "" {
		t.Errorf("rows whose variables or files differ (-want +got):\n%s", diff)
	}
}

// FuzzScriptText: what is taken is text, and nothing is added to it.
func FuzzScriptText(f *testing.F) {
	for _, text := range []string{"echo a\r\n", "\ufeffset -e\n", "\xff\xfea\x00", "a\xff", "\ufeff\ufeff", "\r\r\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := ScriptText(data)
		if err != nil {
			return
		}
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > len(data) {
			t.Errorf("%q became %q", data, text)
		}
	})
}
