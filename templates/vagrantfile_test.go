package templates

import (
	"context"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// vagrantfiles are the edge cases; the labs of labs/ have golden files beside the provider that makes them.
func vagrantfiles() map[string]Vagrantfile {
	network := netip.MustParsePrefix("192.168.56.0/24")
	one := VagrantNode{Name: "a", Address: netip.MustParseAddr("192.168.56.10"), CPUs: 1, MemoryMiB: 512, SSHPort: 22010}
	node := func(change func(*VagrantNode)) []VagrantNode {
		n := one
		change(&n)
		return []VagrantNode{n}
	}
	base := Vagrantfile{Lab: "edge", Provider: "virtualbox", Box: "bento/ubuntu-24.04", User: "vagrant", Network: network, BootTimeout: 10 * time.Minute, Nodes: []VagrantNode{one}}
	with := func(change func(*Vagrantfile)) Vagrantfile {
		v := base
		change(&v)
		return v
	}
	return map[string]Vagrantfile{
		"one": base,
		"three": with(func(v *Vagrantfile) {
			v.Lab, v.BoxVersion, v.Promiscuous = "k8s", "202510.26.0", true
			v.Nodes = []VagrantNode{
				{Name: "cp", Address: netip.MustParseAddr("192.168.56.10"), CPUs: 2, MemoryMiB: 3072, SSHPort: 22010},
				{Name: "w1", Address: netip.MustParseAddr("192.168.56.11"), CPUs: 1, MemoryMiB: 2048, SSHPort: 22011},
				{Name: "w2", Address: netip.MustParseAddr("192.168.56.12"), CPUs: 1, MemoryMiB: 2048, SSHPort: 22012},
			}
		}),
		"disks": with(func(v *Vagrantfile) {
			v.Nodes = node(func(n *VagrantNode) {
				n.DiskMiB, n.ExtraDisksMiB = 40960, []int{1024, 2048}
				n.Forwards = []Forward{{Host: 8080, Guest: 80}, {Host: 8443, Guest: 443}}
			})
		}),
		"small-network": with(func(v *Vagrantfile) {
			v.Network = netip.MustParsePrefix("192.168.60.0/22")
			v.Nodes = node(func(n *VagrantNode) { n.Address = netip.MustParseAddr("192.168.63.254") })
		}),
		"libvirt": with(func(v *Vagrantfile) {
			v.Provider, v.Box = "libvirt", "generic/arch"
			v.Nodes = node(func(n *VagrantNode) { n.DiskMiB, n.ExtraDisksMiB = 40960, []int{1024} })
		}),
		"hostile": with(func(v *Vagrantfile) {
			v.Lab = "x\"; system('touch /tmp/owned') #{exit 1}\n__END__\n"
			v.Box = "#{`id`}\\\" 한글 \u2028\x00\x1a\xff"
			v.User = "'; exit 3\n=begin"
			v.Nodes = node(func(n *VagrantNode) { n.Name = "#$0 \" }, system('false'), {" })
		}),
	}
}

func vagrantfileText(t *testing.T, v Vagrantfile) string {
	t.Helper()
	text, err := v.Render()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestVagrantfileGolden(t *testing.T) {
	for name, v := range vagrantfiles() {
		t.Run(name, func(t *testing.T) {
			got := vagrantfileText(t, v)
			golden := filepath.Join("testdata", "vagrantfile-"+name+".rb")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs (-want +got); if it should, run go test ./templates -update:\n%s", golden, diff)
			}
		})
	}
}

// TestVagrantValidates feeds the golden files to the real Vagrant, with a stand-in for VBoxManage that does no more
// than tell a version Vagrant knows: it is all that `vagrant validate` asks before it checks the VirtualBox block.
func TestVagrantValidates(t *testing.T) {
	vagrant, err := exec.LookPath("vagrant")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("skipped: needs vagrant: apt-get install --no-install-recommends vagrant")
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "VBoxManage"), []byte("#!/bin/sh\necho 7.0.20r163906\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	validate := func(t *testing.T, text string) (string, error) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Vagrantfile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		c := exec.CommandContext(ctx, vagrant, "validate")
		c.Dir = dir
		c.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "VAGRANT_HOME="+filepath.Join(bin, "home"),
			"VAGRANT_DEFAULT_PROVIDER=virtualbox", "VAGRANT_CHECKPOINT_DISABLE=1")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	for name, v := range vagrantfiles() {
		if v.Libvirt() || name == "hostile" { // needs a plugin; a name that no host can have
			continue
		}
		t.Run(name, func(t *testing.T) {
			if out, err := validate(t, vagrantfileText(t, v)); err != nil {
				t.Errorf("vagrant validate: %v\n%s", err, out)
			}
		})
	}
	t.Run("the VirtualBox block is checked", func(t *testing.T) {
		text := strings.Replace(vagrantfileText(t, vagrantfiles()["one"]), "vb.cpus =", "vb.cpuz =", 1)
		out, err := validate(t, text)
		if err == nil || !strings.Contains(out, "cpuz") {
			t.Errorf("a bogus option of the VirtualBox block passed: %v\n%s", err, out)
		}
	})
}

// TestModifyVM compares the options for VBoxManage with the lines of the Vagrantfile that say the same to Vagrant.
func TestModifyVM(t *testing.T) {
	line := regexp.MustCompile(`vb\.customize \["modifyvm", :id, (.*)\]`)
	for name, v := range vagrantfiles() {
		if !v.VirtualBox() {
			continue
		}
		text, err := v.Render()
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, m := range line.FindAllStringSubmatch(text, -1) {
			want = append(want, m[1])
		}
		for _, options := range v.customize() {
			var quoted []string
			for _, o := range options {
				quoted = append(quoted, rubyString(o))
			}
			got = append(got, strings.Join(quoted, ", "))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	v := vagrantfiles()["disks"]
	args := strings.Join(v.ModifyVM(v.Nodes[0]), " ")
	for _, want := range []string{"--memory 512 --cpus 1", "--natpf1 ssh,tcp,127.0.0.1,22010,,22", "--natpf1 port-8080,tcp,127.0.0.1,8080,,80", "--groups /edge"} {
		if !strings.Contains(args, want) {
			t.Errorf("%s is missing in %s", want, args)
		}
	}
}

func TestVagrantfileRefuses(t *testing.T) {
	good := vagrantfiles()["one"]
	second := good.Nodes[0]
	second.Name, second.Address, second.SSHPort = "b", netip.MustParseAddr("192.168.56.11"), 22011
	tests := map[string]struct {
		change func(v *Vagrantfile)
		want   string
	}{
		"provider":      {func(v *Vagrantfile) { v.Provider = "vmware" }, "use virtualbox or libvirt"},
		"no nodes":      {func(v *Vagrantfile) { v.Nodes = nil }, "no nodes"},
		"name twice":    {func(v *Vagrantfile) { v.Nodes[1].Name = "a" }, "name used twice"},
		"address twice": {func(v *Vagrantfile) { v.Nodes[1].Address = v.Nodes[0].Address }, `address 192.168.56.10 is that of "a" too`},
		"outside":       {func(v *Vagrantfile) { v.Nodes[1].Address = netip.MustParseAddr("10.0.0.1") }, "not in the lab's network"},
		"host's own":    {func(v *Vagrantfile) { v.Nodes[1].Address = netip.MustParseAddr("192.168.56.1") }, "this computer's"},
		"port twice":    {func(v *Vagrantfile) { v.Nodes[1].SSHPort = 22010 }, `leads to "a" already`},
		"port range":    {func(v *Vagrantfile) { v.Nodes[1].Forwards = []Forward{{Host: 70000, Guest: 80}} }, "not between 1 and 65535"},
		"forward twice": {func(v *Vagrantfile) { v.Nodes[1].Forwards = []Forward{{Host: 22010, Guest: 80}} }, `leads to "a" already`},
		"no memory":     {func(v *Vagrantfile) { v.Nodes[1].MemoryMiB = 0 }, "too little"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := good
			v.Nodes = []VagrantNode{good.Nodes[0], second}
			test.change(&v)
			text, err := v.Render()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if text != "" {
				t.Error("there is a text all the same")
			}
		})
	}
}

// TestRubyReadsBack lets Ruby itself say what the quoted texts are.
func TestRubyReadsBack(t *testing.T) {
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		t.Skip("skipped: needs ruby: apt-get install ruby")
	}
	texts := []string{"", "plain", `"`, `\`, `\"`, "#{exit 1}", "#$0 #@x", "a\nb", "__END__\n", "\x00\x04\x1a", "한글 é 🎈", "\u2028\u0085\ufeff", `\u{41}`, "'%q(`id`)"}
	var program strings.Builder
	for _, text := range texts {
		program.WriteString("print " + rubyString(text) + ", \"\\x01\"\n")
	}
	c := exec.CommandContext(t.Context(), ruby, "-w", "-")
	c.Stdin = strings.NewReader(program.String())
	c.Env = append(os.Environ(), "LANG=C.UTF-8")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\x01"), "\x01")
	if diff := cmp.Diff(texts, got); diff != "" {
		t.Errorf("Ruby read (-want +got):\n%s", diff)
	}
}

func TestRubyAccepts(t *testing.T) {
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		t.Skip("skipped: needs ruby: apt-get install ruby")
	}
	for name, v := range vagrantfiles() {
		c := exec.CommandContext(t.Context(), ruby, "-wc", "-")
		c.Stdin = strings.NewReader(vagrantfileText(t, v))
		if out, err := c.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "Syntax OK" {
			t.Errorf("%s: ruby -wc: %v\n%s", name, err, out)
		}
	}
}

// FuzzRubyString checks without Ruby, for speed, that no text ends its literal, interpolates or leaves its line;
// TestRubyReadsBack shows that Ruby agrees.
func FuzzRubyString(f *testing.F) {
	for _, seed := range []string{"", `"`, `\`, "#{x}", "a\nb", "\x00", "\xff", "한"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := rubyString(text)
		inside := quoted[1 : len(quoted)-1]
		for i := 0; i < len(inside); i++ {
			switch c := inside[i]; {
			case c == '\\':
				i++
				if i == len(inside) || !strings.ContainsRune(`"\#u`, rune(inside[i])) {
					t.Fatalf("%q: stray backslash in %s", text, quoted)
				}
			case c == '"' || c == '#' || c < ' ' || c == 0x7f:
				t.Fatalf("%q: bare %q in %s", text, c, quoted)
			}
		}
		if !strings.HasPrefix(quoted, `"`) || !strings.HasSuffix(quoted, `"`) || len(quoted) < 2 {
			t.Fatalf("%q: not a literal: %s", text, quoted)
		}
	})
}

// FuzzVagrantfileLines checks that texts of the description never change the shape of the file: the same lines, and
// none of them begun by the text.
func FuzzVagrantfileLines(f *testing.F) {
	f.Add("lab", "box", "user", "node")
	f.Add("a\nb", "#{x}", "\"", "\x00")
	f.Fuzz(func(t *testing.T, lab, box, user, name string) {
		v := vagrantfiles()["one"]
		v.BoxVersion = "1"
		lines := strings.Count(vagrantfileText(t, v), "\n")
		v.Lab, v.User, v.Nodes[0].Name = lab, user, name
		v.Box = "ubuntu" + box
		if got := strings.Count(vagrantfileText(t, v), "\n"); got != lines {
			t.Errorf("%d lines, want %d", got, lines)
		}
	})
}
