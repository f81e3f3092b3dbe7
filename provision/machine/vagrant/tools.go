package vagrant

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"podium/provision/machine"
	"strings"
)

// Tools are the paths of the programs that a Provider runs.
type Tools struct {
	VBoxManage string
	Vagrant    string
	Virsh      string
}

// ErrNoTool says that a program is not installed, or not where it is looked for.
var ErrNoTool = machine.Lack("not found")

// ErrWSL says that podium runs inside WSL2, where VirtualBox cannot.
var ErrWSL = machine.Lack("this is WSL2, where VirtualBox cannot run")

// found is what a Provider works with once the programs were looked for.
type found struct {
	hypervisor hypervisor
	vagrant    program
	vbox       program // zero for libvirt
	home       string  // VAGRANT_HOME
}

// tools looks for the programs, once.
func (p *Provider) tools(context.Context) (*found, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	f := &found{home: VagrantHome(os.Getenv, os.UserHomeDir)}
	env := []string{
		"VAGRANT_NO_COLOR=1", "VAGRANT_CHECKPOINT_DISABLE=1",
		"VAGRANT_DEFAULT_PROVIDER=" + p.o.Provider,
		// What a user has set for folders of his own must not lead this lab's machines there.
		"VAGRANT_CWD=" + p.o.Dir, "VAGRANT_DOTFILE_PATH=" + filepath.Join(p.o.Dir, ".vagrant"), "VAGRANT_VAGRANTFILE=Vagrantfile",
	}
	if p.isLibvirt() {
		path, err := pick(p.o.Tools.Virsh, "virsh", nil)
		if err != nil {
			return nil, fmt.Errorf("virsh: %w: install libvirt (Debian, Ubuntu: apt install libvirt-clients libvirt-daemon-system)", err)
		}
		f.hypervisor = virsh{program: program{name: "virsh", path: path, env: []string{"LC_ALL=C"}, log: p.o.Log, exec: p.o.exec}, deadline: p.o.CallDeadline}
	} else {
		if err := refuseWSL(); err != nil {
			return nil, err
		}
		path, err := pick(p.o.Tools.VBoxManage, "VBoxManage", VirtualBoxFolders(os.Getenv))
		if err != nil {
			return nil, fmt.Errorf("VBoxManage: %w: install VirtualBox (https://www.virtualbox.org/wiki/Downloads) and run `podium doctor`", err)
		}
		f.vbox = program{name: "VBoxManage", path: path, env: []string{"LC_ALL=C.UTF-8"}, log: p.o.Log, exec: p.o.exec} // its words are read
		f.hypervisor = vbox{program: f.vbox, deadline: p.o.CallDeadline, patience: p.o.patience}
		// Vagrant looks for VBoxManage by itself; it must find the same one.
		env = append(env, "PATH="+filepath.Dir(path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	path, err := pick(p.o.Tools.Vagrant, "vagrant", VagrantFolders(os.Getenv))
	if err == nil {
		f.vagrant = program{name: "vagrant", path: path, dir: p.o.Dir, env: env, log: p.o.Log, exec: p.o.exec}
	}
	p.found = f
	return f, nil
}

// needVagrant is for what cannot be done without it.
func (f *found) needVagrant() error {
	if f.vagrant.path == "" {
		return fmt.Errorf("vagrant: %w: install Vagrant (https://developer.hashicorp.com/vagrant/install) and run `podium doctor`", ErrNoTool)
	}
	return nil
}

// pick takes the path that was given, else the program of that name on PATH, else the first one in folders.
func pick(given, name string, folders []string) (string, error) {
	if given != "" {
		return given, nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	for _, folder := range folders {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path, nil
		}
	}
	return "", ErrNoTool
}

// FindVBoxManage gives the path of VBoxManage; the error is ErrNoTool when there is none.
func FindVBoxManage() (string, error) { return pick("", "VBoxManage", VirtualBoxFolders(os.Getenv)) }

// FindVagrant gives the path of vagrant; the error is ErrNoTool when there is none.
func FindVagrant() (string, error) { return pick("", "vagrant", VagrantFolders(os.Getenv)) }

// VagrantHome is where Vagrant keeps boxes and its own keys.
func VagrantHome(getenv func(string) string, home func() (string, error)) string {
	if dir := getenv("VAGRANT_HOME"); dir != "" {
		return dir
	}
	dir, err := home()
	if err != nil {
		return ".vagrant.d"
	}
	return filepath.Join(dir, ".vagrant.d")
}

// refuseWSL finds out by the kernel's name, as Vagrant does. Inside WSL2 a Linux VirtualBox has no hardware to use and
// the Windows one cannot follow Linux paths.
func refuseWSL() error {
	version, err := os.ReadFile("/proc/version")
	if err != nil || !IsWSL(string(version)) {
		return nil
	}
	return fmt.Errorf("%w: run podium.exe in a Windows terminal (PowerShell), with VirtualBox and Vagrant installed on Windows", ErrWSL)
}

// IsWSL tells a kernel of the Windows Subsystem for Linux by the text of /proc/version.
func IsWSL(version string) bool {
	version = strings.ToLower(version)
	return strings.Contains(version, "microsoft") || strings.Contains(version, "wsl")
}
