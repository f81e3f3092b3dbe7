package doctor

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// System is what decides how software is installed on this computer.
type System struct {
	Manager  string // package manager: winget, brew, apt-get or dnf; empty: none that podium knows
	ID       string // of Linux, from os-release: ubuntu, debian, fedora
	Codename string // of Linux, from os-release: noble, bookworm
}

// Remedy installs or repairs what a finding is about.
type Remedy struct {
	Finding  string   `json:"finding"`  // its ID
	Commands []string `json:"commands"` // for sh, or for winget alone on Windows; in this order
}

// FindSystem looks at this computer.
func FindSystem() System {
	var s System
	managers := map[string][]string{"windows": {"winget"}, "darwin": {"brew"}, "linux": {"apt-get", "dnf"}}[runtime.GOOS]
	for _, name := range managers {
		if _, err := exec.LookPath(name); err == nil {
			s.Manager = name
			break
		}
	}
	if text, err := os.ReadFile("/etc/os-release"); err == nil && runtime.GOOS == "linux" {
		s.ID, s.Codename = releaseOf(string(text))
	}
	return s
}

// releaseOf reads ID and VERSION_CODENAME of os-release (os-release(5)).
func releaseOf(text string) (id, codename string) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			id = value
		case "VERSION_CODENAME":
			codename = value
		}
	}
	return id, codename
}

// Setup gives what would install or repair the things that findings are about, in an order in which it can be run, and
// the findings that a person has to see to.
func Setup(findings []Finding, s System) (remedies []Remedy, byHand []Finding) {
	for _, f := range findings {
		if f.Severity == Note {
			continue
		}
		commands := s.commands(f.ID)
		switch {
		case len(commands) == 0:
			byHand = append(byHand, f)
		case !slices.ContainsFunc(remedies, func(r Remedy) bool { return slices.Equal(r.Commands, commands) }):
			remedies = append(remedies, Remedy{Finding: f.ID, Commands: commands})
		}
	}
	return remedies, byHand
}

// commands are those for a finding; none where a person has to decide or to look.
func (s System) commands(id string) []string {
	switch id {
	case "virtualbox-missing", "virtualbox-old":
		return s.virtualBox()
	case "vagrant-missing", "pair":
		return s.vagrant()
	case "kernel-module":
		if s.ID == "" {
			return nil
		}
		return []string{"sudo /sbin/vboxconfig"}
	case "libvirt-missing", "libvirt-plugin":
		if s.Manager == "apt-get" {
			return []string{"sudo apt-get install -y libvirt-daemon-system libvirt-clients qemu-system-x86 vagrant-libvirt"}
		}
	}
	return nil
}

// virtualBox installs or updates VirtualBox. Debian's stable release has no package of it, Fedora has none at all: there
// Oracle's archive is taken (https://www.virtualbox.org/wiki/Linux_Downloads).
func (s System) virtualBox() []string {
	switch {
	case s.Manager == "winget":
		return []string{"winget install --exact --id Oracle.VirtualBox"}
	case s.Manager == "brew":
		return []string{"brew install --cask virtualbox"}
	case s.Manager == "apt-get" && s.ID == "ubuntu":
		return []string{"sudo apt-get update", "sudo apt-get install -y virtualbox"}
	case s.Manager == "apt-get" && s.ID == "debian" && s.Codename != "":
		return []string{
			"wget -qO- https://www.virtualbox.org/download/oracle_vbox_2016.asc | sudo gpg --yes --dearmor -o /usr/share/keyrings/oracle-virtualbox-2016.gpg",
			"echo 'deb [arch=amd64 signed-by=/usr/share/keyrings/oracle-virtualbox-2016.gpg] https://download.virtualbox.org/virtualbox/debian " +
				s.Codename + " contrib' | sudo tee /etc/apt/sources.list.d/virtualbox.list",
			"sudo apt-get update",
			"sudo apt-get install -y virtualbox-7.2",
		}
	case s.Manager == "dnf" && s.ID == "fedora":
		return []string{
			"wget -qO- https://download.virtualbox.org/virtualbox/rpm/fedora/virtualbox.repo | sudo tee /etc/yum.repos.d/virtualbox.repo",
			"sudo dnf install -y VirtualBox-7.2",
		}
	}
	return nil
}

// vagrant installs or updates Vagrant, on Linux from HashiCorp's archive, as the distributions' own are too old for
// VirtualBox 7.2 (https://developer.hashicorp.com/vagrant/install).
func (s System) vagrant() []string {
	switch {
	case s.Manager == "winget":
		return []string{"winget install --exact --id Hashicorp.Vagrant"}
	case s.Manager == "brew":
		return []string{"brew install hashicorp/tap/hashicorp-vagrant"}
	case s.Manager == "apt-get" && s.Codename != "":
		return []string{
			"wget -qO- https://apt.releases.hashicorp.com/gpg | sudo gpg --yes --dearmor -o /usr/share/keyrings/hashicorp-archive-keyring.gpg",
			"echo 'deb [signed-by=/usr/share/keyrings/hashicorp-archive-keyring.gpg] https://apt.releases.hashicorp.com " +
				s.Codename + " main' | sudo tee /etc/apt/sources.list.d/hashicorp.list",
			"sudo apt-get update",
			"sudo apt-get install -y vagrant",
		}
	case s.Manager == "dnf" && s.ID == "fedora":
		return []string{
			"wget -qO- https://rpm.releases.hashicorp.com/fedora/hashicorp.repo | sudo tee /etc/yum.repos.d/hashicorp.repo",
			"sudo dnf install -y vagrant",
		}
	}
	return nil
}
