package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"podium/provision/lab"
	"podium/provision/machine/vagrant"
)

// How long the questions may take, each. A computer that is well answers in a tenth of it.
const (
	programDeadline = 20 * time.Second
	serverDeadline  = 6 * time.Second
	addressDeadline = 300 * time.Millisecond
)

// boxRegistry is where Vagrant asks for boxes by name; its answer has the time of day.
const boxRegistry = "https://vagrantcloud.com/api/v2/vagrant/"

// Collect asks this computer. All questions are asked side by side; what cannot be asked stays unknown.
func Collect(ctx context.Context, n Need) Facts {
	c := &collector{ctx: ctx, f: Facts{
		OS: runtime.GOOS, Arch: hardware(), Answers: map[string]Answer{}, Env: map[string]string{}, Cores: runtime.NumCPU(),
		VagrantHome: vagrant.VagrantHome(os.Getenv, os.UserHomeDir),
	}}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value := firstOf(map[string]string{"": os.Getenv(name), "l": os.Getenv(strings.ToLower(name))}, "", "l"); value != "" {
			c.f.Env[name] = value
		}
	}
	c.f.Interfaces = interfaces()
	c.f.BoxHere = n.Lab.Box != "" && len(vagrant.BoxFolders(c.f.VagrantHome, n.Lab.Box, n.Lab.BoxVersion, n.provider())) > 0
	c.system()
	c.programs(n)
	c.tries(n)
	c.wait.Wait()
	c.conclude(n)
	return c.f
}

// collector gathers answers.
type collector struct {
	ctx  context.Context
	wait sync.WaitGroup
	mu   sync.Mutex
	f    Facts
}

func (c *collector) note(name string, a Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.f.Answers[name] = a
}

// ask runs a program beside the others.
func (c *collector) ask(name, path string, args ...string) { c.run(name, vagrant.Text, path, args...) }

// powershell asks Windows PowerShell.
func (c *collector) powershell(name, question string) {
	c.run(name, vagrant.ConsoleText, "powershell", "-NoProfile", "-NonInteractive", "-Command", question)
}

// run keeps what the program wrote, as text makes it UTF-8.
func (c *collector) run(name string, text func([]byte) string, path string, args ...string) {
	c.wait.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, programDeadline)
		defer cancel()
		var out, errs bytes.Buffer
		p := exec.CommandContext(ctx, path, args...)
		p.Stdout, p.Stderr = &out, &errs
		p.Env = append(os.Environ(), "LANG=C", "LC_ALL=C", "VAGRANT_CHECKPOINT_DISABLE=1")
		p.WaitDelay = time.Second
		err := p.Run()
		a := Answer{Out: text(out.Bytes()), Err: text(errs.Bytes())}
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			a.Code = exit.ExitCode()
		case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
			a.Missing = true
		case err != nil && !errors.Is(err, exec.ErrWaitDelay):
			a.Code, a.Err = -1, a.Err+err.Error()
		}
		c.note(name, a)
	})
}

// read takes a file under its own name.
func (c *collector) read(path string) {
	text, err := os.ReadFile(path)
	c.note(path, Answer{Out: string(text), Missing: err != nil})
}

// system asks what differs from system to system.
func (c *collector) system() {
	switch runtime.GOOS {
	case "linux":
		for _, path := range []string{kernelVersion, kernelModules, kvmAtLoad, cpuInfo, memInfo, vboxNetworks, resolvConf, linuxRoutes} {
			c.read(path)
		}
		_, err := os.Stat(kvmDevice)
		c.note(kvmDevice, Answer{Missing: err != nil})
	case "darwin":
		c.read(vboxNetworks)
		c.ask(macSystem, "sysctl", "hw.memsize", "hw.ncpu", "hw.optional.arm64")
		c.ask(macMemory, "vm_stat")
		c.ask(macRoutes, "netstat", "-rn", "-f", "inet")
	case "windows":
		c.powershell(windowsSystem, windowsQuestion)
		c.powershell(windowsRoutes, "Get-NetRoute -AddressFamily IPv4 | Select-Object DestinationPrefix,InterfaceAlias | ConvertTo-Json -Compress")
	}
}

// windowsQuestion gathers what windows holds, as one JSON object: unlike systeminfo's, its words do not depend on the
// language of Windows.
const windowsQuestion = `$ErrorActionPreference='SilentlyContinue';` +
	`$s=Get-CimInstance Win32_ComputerSystem;$p=@(Get-CimInstance Win32_Processor)[0];$o=Get-CimInstance Win32_OperatingSystem;` +
	`$d=Get-CimInstance -Namespace root\Microsoft\Windows\DeviceGuard Win32_DeviceGuard;` +
	`@{HypervisorPresent=[bool]$s.HypervisorPresent;VirtualizationFirmwareEnabled=[bool]$p.VirtualizationFirmwareEnabled;` +
	`VirtualizationBasedSecurityStatus=[int]$d.VirtualizationBasedSecurityStatus;TotalVisibleMemorySize=[long]$o.TotalVisibleMemorySize;` +
	`FreePhysicalMemory=[long]$o.FreePhysicalMemory}|ConvertTo-Json -Compress`

// programs asks VirtualBox or libvirt, and Vagrant.
func (c *collector) programs(n Need) {
	if n.provider() == lab.ProviderLibvirt {
		c.ask(virshVersion, "virsh", "--connect", "qemu:///system", "version")
		if path, err := vagrant.FindVagrant(); err == nil {
			c.ask(vagrantPlugins, path, "plugin", "list")
		}
	} else if path, err := vagrant.FindVBoxManage(); err == nil {
		c.ask(vboxVersion, path, "--version")
		c.ask(vboxVMs, path, "list", "vms")
		c.ask(vboxRunning, path, "list", "runningvms")
		c.ask(vboxHostOnly, path, "list", "hostonlyifs")
		c.ask(vboxProperties, path, "list", "systemproperties")
	} else {
		c.note(vboxVersion, Answer{Missing: true})
	}
	if path, err := vagrant.FindVagrant(); err == nil {
		c.ask(vagrantVersion, path, "--version")
	} else {
		c.note(vagrantVersion, Answer{Missing: true})
	}
}

// tries are what only trying tells: ports, addresses and the box's server.
func (c *collector) tries(n Need) {
	for _, m := range n.Machines {
		c.wait.Go(func() {
			if !hasSSH(c.ctx, m.Address.String()) {
				return
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.f.AddressesTaken = append(c.f.AddressesTaken, m.Address.String())
		})
		if port := n.Ports[m.Name]; port != 0 && !bindable(c.ctx, port) {
			c.f.PortsTaken = append(c.f.PortsTaken, port)
		}
	}
	if n.Lab.Box == "" || c.f.BoxHere || len(n.Machines) == 0 {
		return
	}
	c.wait.Go(func() {
		ahead, err := askServer(c.ctx, boxRegistry+n.Lab.Box)
		a := Answer{}
		if err != nil {
			a = Answer{Code: 1, Err: err.Error()}
		}
		c.note(boxServer, a)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.f.ClockAhead = ahead
	})
}

// hasSSH reports whether an SSH server greets at the address. A connection alone proves nothing: some gateways accept
// every one.
func hasSSH(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, addressDeadline)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, "22"))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(addressDeadline)); err != nil {
		return false
	}
	greeting := make([]byte, 4)
	_, err = io.ReadFull(conn, greeting)
	return err == nil && string(greeting) == "SSH-"
}

// askServer asks for a box's description and compares the clocks.
func askServer(ctx context.Context, url string) (ahead int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, serverDeadline)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if then, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		ahead = int64(time.Since(then).Seconds())
	}
	if answer.StatusCode >= 400 {
		return ahead, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return ahead, nil
}

// bindable reports whether nobody listens on the port.
func bindable(ctx context.Context, port int) bool {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// interfaces lists IPv4 networks that this computer is part of, loopback left out.
func interfaces() []Interface {
	cards, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var list []Interface
	for _, card := range cards {
		if card.Flags&net.FlagLoopback != 0 || card.Flags&net.FlagUp == 0 {
			continue
		}
		addresses, err := card.Addrs()
		if err != nil {
			continue
		}
		one := Interface{Name: card.Name}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
				one.Prefixes = append(one.Prefixes, p)
			}
		}
		if len(one.Prefixes) > 0 {
			list = append(list, one)
		}
	}
	return list
}

// conclude works out what follows from the answers.
func (c *collector) conclude(n Need) {
	f := &c.f
	switch f.OS {
	case "linux":
		f.MemoryTotal, f.MemoryFree = parseMemInfo(f.Answers[memInfo].Out)
	case "darwin":
		f.MemoryTotal, f.MemoryFree = parseMacMemory(f.Answers[macSystem].Out, f.Answers[macMemory].Out)
	case "windows":
		if w := parseWindows(f.Answers[windowsSystem].Out); w != nil {
			f.MemoryTotal, f.MemoryFree = w.TotalVisibleMemorySize<<10, w.FreePhysicalMemory<<10
		}
	}
	for line := range strings.Lines(f.Answers[vboxProperties].Out) {
		if key, value, ok := strings.Cut(line, ":"); ok && key == "Default machine folder" {
			f.MachineFolder = strings.TrimSpace(value)
		}
	}
	if f.MachineFolder == "" {
		return
	}
	f.DiskFree = freeSpace(f.MachineFolder)
	for _, m := range n.Machines {
		// VirtualBox puts a machine into a folder named after its group and itself; before Vagrant sets the group, only
		// after itself.
		for _, folder := range []string{filepath.Join(f.MachineFolder, n.vmName(m.Name)), filepath.Join(f.MachineFolder, n.Lab.Name, n.vmName(m.Name))} {
			if entries, err := os.ReadDir(folder); err == nil && len(entries) > 0 {
				f.FoldersTaken = append(f.FoldersTaken, folder)
			}
		}
	}
}
