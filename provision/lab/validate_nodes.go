package lab

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// nodes checks each entry of nodes by itself, then their names together.
func (c *checker) nodes() {
	if len(c.lab.Nodes) == 0 {
		c.bad("nodes", "", "names no machine: write at least one, such as - {name: box, roles: [docker]}")
		return
	}
	total := 0
	for i, n := range c.lab.Nodes {
		path := fmt.Sprintf("nodes[%d]", i)
		c.node(path, n)
		total += min(copies(n), maxMachines+1)
	}
	if total > maxMachines {
		c.bad("nodes", "", "make more than %d machines, the most that a lab can have: lower a count", maxMachines)
		return
	}
	c.machineNames()
	c.hostPorts()
	c.endpoints()
}

// node checks one entry of nodes.
func (c *checker) node(path string, n Node) {
	c.name(path+".name", n.Name, "w1")
	if n.Count < 0 {
		c.bad(path+".count", strconv.Itoa(n.Count), "is not a number of machines: write 1 or more")
	}
	for i, role := range n.Roles {
		at := fmt.Sprintf("%s.roles[%d]", path, i)
		c.oneOf(at, role, Roles())
		if slices.Contains(n.Roles[:i], role) {
			c.bad(at, role, "stands here a second time: leave one out")
		}
	}
	c.size(path, n)
	c.disks(path, n)
	c.forward(path, n)
	c.ssh(path, n)
}

// minExtraDisk is the smallest disk that holds a file system worth having; maxExtraDisks is what fits beside the first
// one on the controller of usual boxes (four ports at least).
const (
	minExtraDisk  = 64 * MiB
	maxExtraDisks = 3
)

// disks checks the further disks of a machine.
func (c *checker) disks(path string, n Node) {
	if len(n.Disks) > maxExtraDisks {
		c.bad(path+".disks", strconv.Itoa(len(n.Disks)), "are more disks than fit: write %d at most", maxExtraDisks)
	}
	for i, size := range n.Disks {
		if size < minExtraDisk {
			c.bad(fmt.Sprintf("%s.disks[%d]", path, i), size.String(), "is too small for a disk: write %s or more", minExtraDisk)
		}
	}
}

// forward checks the ports of this computer that lead to a machine. Those below 1024 belong to its administrator.
func (c *checker) forward(path string, n Node) {
	for i, f := range n.Forward {
		at := fmt.Sprintf("%s.forward[%d]", path, i)
		if f.Host < 1024 || f.Host > 65535 {
			c.bad(at+".host", strconv.Itoa(f.Host), "is not a port that podium may take: write 1024 to 65535")
		}
		if f.Guest < 1 || f.Guest > 65535 {
			c.bad(at+".guest", strconv.Itoa(f.Guest), "is not a port: write 1 to 65535")
		}
		if n.Count > 1 {
			c.bad(at, "", "cannot lead to %d machines: write an entry of nodes for the one that is meant", n.Count)
		}
	}
}

// hostPorts checks that each port of this computer leads to one machine.
func (c *checker) hostPorts() {
	leads := map[int]string{}
	for i, n := range c.lab.Nodes {
		for j, f := range n.Forward {
			if other, taken := leads[f.Host]; taken {
				c.bad(fmt.Sprintf("nodes[%d].forward[%d].host", i, j), strconv.Itoa(f.Host), "leads to %s already: choose another", other)
			}
			leads[f.Host] = n.Name
		}
	}
}

// Sizes below which something is known to fail.
const (
	minMemory = 256 * MiB
	minDisk   = 4 * GiB
	maxCPUs   = 1024
)

// needs lists what a role needs to work at all. For a control plane kubeadm's preflight asks for 2 CPUs and 1700 MiB
// as the machine sees them (ControlPlaneNumCPU and ControlPlaneMem in kubernetes/cmd/kubeadm/app/constants); a virtual
// machine sees less than it is given by what its kernel keeps for itself, some 80 MiB. The rest is experience.
func needs(role string) (cpus int, memory Size) {
	switch role {
	case RoleControlPlane:
		return 2, 1800 * MiB
	case RoleWorker, RoleJenkins:
		return 1, GiB
	case RoleMonitoring, RoleDocker, RoleEtcd:
		return 1, 512 * MiB
	default:
		return 1, minMemory
	}
}

// size checks CPUs, memory and disk. Machines that exist already have what they have.
func (c *checker) size(path string, n Node) {
	if c.lab.Provider == ProviderStatic {
		return
	}
	cpus, memory, cpuRole, memoryRole := 1, minMemory, "a machine", "a machine"
	for _, role := range n.Roles {
		if more, _ := needs(role); more > cpus {
			cpus, cpuRole = more, "the role "+role
		}
		if _, more := needs(role); more > memory {
			memory, memoryRole = more, "the role "+role
		}
	}
	switch {
	case n.CPUs < 1 || n.CPUs > maxCPUs:
		c.bad(path+".cpus", strconv.Itoa(n.CPUs), "is not a number of CPUs that a machine can have: write %d or more", cpus)
	case n.CPUs < cpus:
		c.bad(path+".cpus", strconv.Itoa(n.CPUs), "is too few for %s: write %d or more", cpuRole, cpus)
	}
	if n.Memory < memory {
		c.bad(path+".memory", n.Memory.String(), "is too little for %s, which needs %s: write %s", memoryRole, memory, roomy(memory))
	}
	if n.Disk != 0 && n.Disk < minDisk {
		c.bad(path+".disk", n.Disk.String(), "is too small for a system: write %s or more, or leave it out", minDisk)
	}
}

// roomy is the next whole GiB, for advice.
func roomy(s Size) Size {
	if s < GiB {
		return s
	}
	return (s + GiB - 1) / GiB * GiB
}

// machineNames checks the names that counts make, and that no two machines share one.
func (c *checker) machineNames() {
	owner := map[string]int{}
	said := map[int]bool{} // entries reported already
	for _, m := range Machines(c.lab) {
		n := c.lab.Nodes[m.Entry]
		first, taken := owner[m.Name]
		if !taken {
			owner[m.Name] = m.Entry
		}
		fault := func(message string, args ...any) {
			said[m.Entry] = true
			c.bad(fmt.Sprintf("nodes[%d].name", m.Entry), m.Name, message, args...)
		}
		switch {
		case said[m.Entry], !label.MatchString(n.Name), len(n.Name) > maxName, onWindows.MatchString(n.Name):
		case taken && first != m.Entry:
			fault("is the name of a machine of nodes[%d] too: choose another", first)
		case m.Name == "localhost" || m.Name == "kube-api":
			fault("is a name that every machine knows something else by: choose another")
		case onWindows.MatchString(m.Name):
			fault(onWindowsFault)
		case len(m.Name) > maxName:
			fault("has more than the %d characters that a host name can have: shorten it", maxName)
		case len(c.lab.Name)+1+len(m.Name) > maxName:
			fault("makes a machine's name of more than %d characters together with the lab's name: shorten one of them", maxName)
		}
	}
}

// ssh checks how a machine that exists already is reached.
func (c *checker) ssh(path string, n Node) {
	s := n.SSH
	if c.lab.Provider != ProviderStatic {
		if s != nil {
			c.bad(path+".ssh", "", "is for machines that exist already: leave it out, or write provider: static")
		}
		return
	}
	if n.Address == "" && (s == nil || s.Host == "") {
		c.bad(path, "", "says not how to reach the machine: write address, or ssh: {host: ...}")
		return
	}
	if s == nil {
		return
	}
	if n.Count > 1 && s.Host != "" {
		c.bad(path+".ssh.host", s.Host, "is one machine, not %d: write an entry each, or address for the first", n.Count)
	}
	if strings.ContainsAny(s.Host, " \t/@") || strings.Contains(s.Host, ":") && net.ParseIP(s.Host) == nil {
		c.bad(path+".ssh.host", s.Host, "is not a host: write a name or an address alone, with the port in ssh.port and the user in ssh.user")
	}
	if s.Port < 0 || s.Port > 65535 {
		c.bad(path+".ssh.port", strconv.Itoa(s.Port), "is not a port: write 1 to 65535")
	}
	if s.User != "" {
		c.user(path+".ssh.user", s.User)
	}
	if s.Jump != "" {
		c.jump(path+".ssh.jump", s.Jump)
	}
	if s.Key != "" && c.lab.Dir != "" {
		if info, err := os.Stat(c.lab.Path(s.Key)); err != nil || info.IsDir() {
			c.bad(path+".ssh.key", s.Key, "is not a readable file: write the path of a private key, relative to the lab's folder")
		}
	}
}

// jump checks [user@]host[:port].
func (c *checker) jump(path, value string) {
	user, host, found := strings.Cut(value, "@")
	if !found {
		user, host = "vagrant", value
	}
	if h, port, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			host = ""
		} else {
			host = h
		}
	}
	if !userName.MatchString(user) || host == "" || strings.ContainsAny(host, " \t/@") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		c.bad(path, value, "is not a host to go through: write [user@]host[:port], such as teacher@gate:22")
	}
}

// endpoints checks that no two machines that exist already are the same one.
func (c *checker) endpoints() {
	if c.lab.Provider != ProviderStatic {
		return
	}
	owner := map[string]int{}
	for i, n := range c.lab.Nodes {
		if n.SSH == nil || n.SSH.Host == "" {
			continue
		}
		key := fmt.Sprintf("%s:%d via %s", n.SSH.Host, n.SSH.Port, n.SSH.Jump)
		if first, taken := owner[key]; taken {
			c.bad(fmt.Sprintf("nodes[%d].ssh.host", i), n.SSH.Host, "is the machine of nodes[%d] too: write another host or port", first)
		} else {
			owner[key] = i
		}
	}
}
