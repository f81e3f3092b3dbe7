package doctor

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSetup(t *testing.T) {
	findings := []Finding{
		{ID: "virtualbox-missing", Severity: Blocks}, {ID: "vagrant-missing", Severity: Blocks}, {ID: "pair", Severity: Blocks},
		{ID: "memory", Severity: Warning}, {ID: "port-taken", Severity: Note},
	}
	for _, test := range []struct {
		name   string
		system System
		want   []string // the last command of each remedy
		byHand []string
	}{
		{"Windows", System{Manager: "winget"}, []string{"winget install --exact --id Oracle.VirtualBox", "winget install --exact --id Hashicorp.Vagrant"}, []string{"memory"}},
		{"macOS", System{Manager: "brew"}, []string{"brew install --cask virtualbox", "brew install hashicorp/tap/hashicorp-vagrant"}, []string{"memory"}},
		{"Ubuntu", System{Manager: "apt-get", ID: "ubuntu", Codename: "noble"}, []string{"sudo apt-get install -y virtualbox", "sudo apt-get install -y vagrant"}, []string{"memory"}},
		{"Debian", System{Manager: "apt-get", ID: "debian", Codename: "trixie"}, []string{"sudo apt-get install -y virtualbox-7.2", "sudo apt-get install -y vagrant"}, []string{"memory"}},
		{"Fedora", System{Manager: "dnf", ID: "fedora"}, []string{"sudo dnf install -y VirtualBox-7.2", "sudo dnf install -y vagrant"}, []string{"memory"}},
		{"another Linux", System{Manager: "dnf", ID: "rhel"}, nil, []string{"virtualbox-missing", "vagrant-missing", "pair", "memory"}},
		{"nothing known", System{}, nil, []string{"virtualbox-missing", "vagrant-missing", "pair", "memory"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			remedies, left := Setup(findings, test.system)
			var last, byHand []string
			for _, r := range remedies {
				last = append(last, r.Commands[len(r.Commands)-1])
			}
			for _, f := range left {
				byHand = append(byHand, f.ID)
			}
			if diff := cmp.Diff(test.want, last); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.byHand, byHand); diff != "" {
				t.Errorf("by hand (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReleaseOf(t *testing.T) {
	id, codename := releaseOf("PRETTY_NAME=\"Ubuntu 24.04\"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=\"noble\"\n")
	if id != "ubuntu" || codename != "noble" {
		t.Errorf("got %q, %q", id, codename)
	}
	if id, codename := releaseOf(strings.Repeat("=\n", 3)); id != "" || codename != "" {
		t.Errorf("got %q, %q of nothing", id, codename)
	}
}
