package vagrant

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"podium/labs"
	"podium/provision/lab"
	"podium/provision/machine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// builtIn reads a lab that comes with podium, as somebody with VirtualBox would.
func builtIn(t *testing.T, name string) machine.Spec {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, labs.FS()); err != nil {
		t.Fatal(err)
	}
	l, err := lab.LoadWith(filepath.Join(dir, name), lab.LoadOptions{Provider: lab.ProviderVirtualBox})
	if err != nil {
		t.Fatal(err)
	}
	return machine.Spec{Lab: l, Machines: lab.Machines(l)}
}

func TestVagrantfilesOfTheLabs(t *testing.T) {
	for _, name := range labs.Names() {
		t.Run(name, func(t *testing.T) {
			p := New(Options{Provider: lab.ProviderVirtualBox, Lab: name, Dir: t.TempDir()})
			got, err := p.Render(builtIn(t, name))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "labs", name+".rb")
			if *update {
				must(os.MkdirAll(filepath.Dir(golden), 0o755))
				must(os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs (-want +got); if it should, run go test ./provision/machine/vagrant -update:\n%s", golden, diff)
			}
			validate(t, got)
		})
	}
}

// TestDisksAndPorts follows what a description says of them into the Vagrantfile, and Vagrant accepts it.
func TestDisksAndPorts(t *testing.T) {
	s := builtIn(t, "docker")
	s.Machines[0].Disk, s.Machines[0].Disks = 40*lab.GiB, []lab.Size{lab.GiB, 512 * lab.MiB}
	s.Machines[0].Forward = []lab.Forward{{Host: 8080, Guest: 80}}
	text, err := New(Options{Provider: lab.ProviderVirtualBox, Lab: "docker", Dir: t.TempDir()}).Render(s)
	if err != nil {
		t.Fatal(err)
	}
	if !contains(text, "disk: 40960, extra_disks: [1024, 512], forwards: { 8080 => 80 }", "vb.linked_clone = !node[:disk]") {
		t.Error(text)
	}
	validate(t, text)
}

// validate asks the real Vagrant, which believes that VirtualBox 7.0 is here.
func validate(t *testing.T, text string) {
	t.Helper()
	vagrant, err := exec.LookPath("vagrant")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("skipped: needs vagrant: apt-get install --no-install-recommends vagrant")
	}
	dir := t.TempDir()
	must(os.WriteFile(filepath.Join(dir, "VBoxManage"), []byte("#!/bin/sh\necho 7.0.20r163906\n"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "Vagrantfile"), []byte(text), 0o644))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	c := exec.CommandContext(ctx, vagrant, "validate")
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "VAGRANT_HOME="+filepath.Join(dir, "home"),
		"VAGRANT_DEFAULT_PROVIDER=virtualbox", "VAGRANT_CHECKPOINT_DISABLE=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("vagrant validate: %v\n%s", err, out)
	}
}
