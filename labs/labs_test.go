package labs

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"podium/provision/lab"
)

// memoryOfALaptop is what labs may take of one with 16 GB, beside the system and a browser.
const memoryOfALaptop = 11 * lab.GiB

// TestLabs reads every lab as a user gets it and compares its README with what lab.yaml makes.
func TestLabs(t *testing.T) {
	if want := []string{"cicd", "containers", "docker", "k8s-basic", "k8s-external-etcd", "k8s-ha", "monitoring", "msa"}; !slices.Equal(Names(), want) {
		t.Fatalf("got %v", Names())
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			text, err := fs.ReadFile(FS(), name+"/lab.yaml")
			if err != nil {
				t.Fatal(err)
			}
			l, at, err := lab.Parse(name+"/lab.yaml", text)
			if err != nil {
				t.Fatal(err)
			}
			lab.Default(&l)
			if err := lab.Validate(l, at); err != nil {
				t.Fatal(err)
			}
			if l.Name != name {
				t.Errorf("the lab in %s is called %s", name, l.Name)
			}
			readme, err := fs.ReadFile(FS(), name+"/README.md")
			if err != nil {
				t.Fatal(err)
			}
			var memory lab.Size
			for _, m := range lab.Machines(l) {
				memory += m.Memory
				address := m.Address.String()
				short := ", " + address[strings.LastIndex(address, "."):] // as in 192.168.56.11, .12
				if !strings.Contains(string(readme), m.Name) || !strings.Contains(string(readme), address) && !strings.Contains(string(readme), short) {
					t.Errorf("README.md says nothing of %s at %s", m.Name, address)
				}
			}
			if memory > memoryOfALaptop {
				t.Errorf("the machines take %s together", memory)
			}
			if total := strings.Replace(memory.String(), "GiB", " GiB of", 1); !strings.Contains(string(readme), total) {
				t.Errorf("README.md does not say %q", total)
			}
			for _, word := range []string{"podium init " + name, "podium ssh", "## First exercises", "podium reset", "podium destroy"} {
				if !strings.Contains(string(readme), word) {
					t.Errorf("README.md has no %q", word)
				}
			}
		})
	}
}

// TestEveryFolderIsEmbedded compares with the folders on disk.
func TestEveryFolderIsEmbedded(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(Names(), e.Name()) {
			t.Errorf("%s has no lab.yaml or no README.md", e.Name())
		}
	}
}
