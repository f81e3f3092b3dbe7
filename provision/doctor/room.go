package doctor

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"podium/provision/lab"
)

// What a lab needs beside its machines' own.
const (
	keptMemory  = 2 * lab.GiB // for this computer's system and a browser
	boxSpace    = 3 * lab.GiB // a box unpacked, and the master that linked clones share
	nodeSpace   = 5 * lab.GiB // what a node writes: system updates, images
	tightSpace  = 2 * lab.GiB // what it writes at the very least
	clockOff    = 120         // seconds from which certificates and package lists may fail
	asciiLetter = 0x7f
)

// room compares memory, processors and disk with what the machines that do not run yet will take.
func (c *checkup) room() {
	var memory, disk, tight lab.Size
	for _, m := range c.n.Machines {
		if c.running(m.Name) {
			continue
		}
		memory += m.Memory
		if c.n.IDs[m.Name] == "" {
			disk += nodeSpace
			tight += tightSpace
		}
		if c.f.Cores > 0 && m.CPUs > c.f.Cores {
			c.add(Warning, "processors", m.Name, m.CPUs, c.f.Cores)
		}
	}
	total, free := lab.Size(c.f.MemoryTotal), lab.Size(c.f.MemoryFree)
	switch {
	case memory == 0 || total == 0:
	case memory > total-keptMemory:
		c.add(Blocks, "memory", memory, human(total))
	case free > 0 && memory > free:
		c.add(Warning, "memory-free", memory, human(free))
	}
	if disk > 0 && !c.f.BoxHere {
		disk += boxSpace
		tight += boxSpace
	}
	space := lab.Size(c.f.DiskFree)
	switch {
	case disk == 0 || space == 0:
	case space < tight:
		c.add(Blocks, "disk", human(space), c.f.MachineFolder, human(disk))
	case space < disk:
		c.add(Warning, "disk", human(space), c.f.MachineFolder, human(disk))
	}
}

// human rounds a size for people.
func human(s lab.Size) string {
	return fmt.Sprintf("%.1f GiB", float64(s)/float64(lab.GiB))
}

// maxPath is the longest path that a program of Windows takes unless it was made for longer ones
// (https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation).
const maxPath = 259

// longFolder compares the lab's folder with what Vagrant keeps below it.
func (c *checkup) longFolder() {
	deepest := 0
	for _, m := range c.n.Machines {
		deepest = max(deepest, len(`\.podium\vagrant\.vagrant\machines\`+m.Name+`\virtualbox\action_set_name`))
	}
	if length := utf8.RuneCountInString(c.n.Folder); c.f.OS == "windows" && length+deepest > maxPath {
		c.add(Warning, "long-folder", length, deepest, c.n.Lab.Name)
	}
}

// box looks at whether the box is here or can be fetched.
func (c *checkup) box() {
	answer, asked := c.f.Answers[boxServer]
	switch {
	case c.f.BoxHere:
	case asked && answer.Code != 0:
		c.add(Blocks, "box-unreachable", c.n.Lab.Box, firstLine(answer.Err))
	default:
		c.add(Note, "box-download", c.n.Lab.Box)
	}
	if c.f.OS == "darwin" && c.f.Arch == "arm64" && !strings.HasPrefix(c.n.Lab.Box, "bento/") {
		c.add(Warning, "apple-silicon-box", c.n.Lab.Box)
	}
}

// surroundings are the things that every lab meets: names of folders, proxies, clock, name servers.
func (c *checkup) surroundings() {
	for _, folder := range []string{c.f.VagrantHome, c.f.MachineFolder} {
		if !ascii(folder) {
			severity := Warning
			if c.f.OS == "windows" {
				severity = Blocks
			}
			c.add(severity, "non-ascii", folder)
			break
		}
	}
	c.longFolder()
	if proxy := firstOf(c.f.Env, "HTTPS_PROXY", "HTTP_PROXY"); proxy != "" && len(c.n.Machines) > 0 {
		if c.n.Lab.Proxy == nil {
			c.add(Warning, "proxy", proxy)
		}
	}
	switch ahead := c.f.ClockAhead; {
	case ahead > clockOff:
		c.add(Warning, "clock", fmt.Sprintf("+%d s", ahead))
	case ahead < -clockOff:
		c.add(Warning, "clock", fmt.Sprintf("%d s", ahead))
	}
	has := parseVersion(c.out(vboxVersion))
	if c.f.OS == "linux" && has != nil && !has.Less(7, 2) && has.Less(7, 3) && len(c.n.Machines) > 0 &&
		len(c.n.Lab.DNS) == 0 && strings.Contains(c.out(resolvConf), "nameserver 127.0.0.53") {
		c.add(Warning, "name-server", has)
	}
}

func ascii(text string) bool {
	for _, r := range text {
		if r > asciiLetter {
			return false
		}
	}
	return true
}

func firstOf(env map[string]string, names ...string) string {
	for _, name := range names {
		if env[name] != "" {
			return env[name]
		}
	}
	return ""
}

// BootParallel is how many machines Vagrant should boot at once here: a boot keeps a processor busy for half of its time,
// and each machine must fit into what memory is free.
func BootParallel(f Facts, machines []lab.Machine) int {
	most := max(2, 2*f.Cores)
	var largest lab.Size
	for _, m := range machines {
		largest = max(largest, m.Memory)
	}
	if f.MemoryFree > 0 && largest > 0 {
		most = min(most, int(lab.Size(f.MemoryFree)/largest))
	}
	return max(1, min(most, 8))
}
