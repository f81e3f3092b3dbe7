package doctor

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"podium/provision/version"
)

// parseVersion finds the first version in a text; nil if there is none. VBoxManage may print warnings before it, so
// that a line which begins with a version wins.
func parseVersion(text string) version.Version {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "Vagrant ") && (line[0] < '0' || line[0] > '9') {
			continue
		}
		if found := version.Find(line); found != nil {
			return found
		}
	}
	return nil
}

// kernelOf finds the version in /proc/version: "Linux version 6.12.1-...".
func kernelOf(text string) version.Version {
	_, rest, _ := strings.Cut(text, "version ")
	return version.Find(rest)
}

func isWSL(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "microsoft") || strings.Contains(text, "wsl")
}

// hasModule looks for a module's line in /proc/modules.
func hasModule(text, name string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name+" ") {
			return true
		}
	}
	return false
}

// hasFlag looks for one of a processor's abilities in /proc/cpuinfo.
func hasFlag(text string, names ...string) bool {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "flags" {
			for _, flag := range strings.Fields(value) {
				if slices.Contains(names, flag) {
					return true
				}
			}
		}
	}
	return false
}

var vmPattern = regexp.MustCompile(`(?m)^"(.*)" \{([0-9a-f-]{36})\}\r?$`)

// vmNames reads `VBoxManage list vms` into names by id.
func vmNames(text string) map[string]string {
	names := map[string]string{}
	for _, m := range vmPattern.FindAllStringSubmatch(text, -1) {
		names[m[2]] = m[1]
	}
	return names
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

// lastPart is the last part of a path of any system.
func lastPart(path string) string {
	path = strings.TrimRight(path, `/\`)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// windowsFacts is what PowerShell tells of a Windows computer.
type windowsFacts struct {
	HypervisorPresent             bool
	VirtualizationFirmwareEnabled bool
	// VirtualizationBasedSecurityStatus: 0 off, 1 configured, 2 running (Win32_DeviceGuard).
	VirtualizationBasedSecurityStatus int
	TotalVisibleMemorySize            int64 // KiB
	FreePhysicalMemory                int64 // KiB
}

func parseWindows(text string) *windowsFacts {
	w := &windowsFacts{}
	if text == "" || json.Unmarshal([]byte(text), w) != nil {
		return nil
	}
	return w
}

// vbs names what holds the processor's virtualisation.
func (w *windowsFacts) vbs() string {
	if w.VirtualizationBasedSecurityStatus == 2 {
		return "Hyper-V, VBS"
	}
	return "Hyper-V"
}

// parseWindowsRoutes reads `Get-NetRoute | Select DestinationPrefix, InterfaceAlias | ConvertTo-Json`, which is one
// object when there is one route.
func parseWindowsRoutes(text string) []route {
	type line struct{ DestinationPrefix, InterfaceAlias string }
	var lines []line
	if json.Unmarshal([]byte(text), &lines) != nil {
		var one line
		if json.Unmarshal([]byte(text), &one) != nil {
			return nil
		}
		lines = []line{one}
	}
	var routes []route
	for _, l := range lines {
		if p, err := netip.ParsePrefix(l.DestinationPrefix); err == nil && unicast(p) {
			routes = append(routes, route{to: p, card: l.InterfaceAlias})
		}
	}
	return routes
}

// parseLinuxRoutes reads /proc/net/route: card, destination and mask in the processor's byte order, in hex.
func parseLinuxRoutes(text string) []route {
	var routes []route
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		to, ok := littleEndian(f[1])
		mask, ok2 := littleEndian(f[7])
		if !ok || !ok2 {
			continue
		}
		if p := netip.PrefixFrom(to, ones(mask)); unicast(p) {
			routes = append(routes, route{to: p, card: f[0]})
		}
	}
	return routes
}

func littleEndian(text string) (netip.Addr, bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 4 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}), true
}

func ones(mask netip.Addr) int {
	n := 0
	for _, b := range mask.As4() {
		for ; b&0x80 != 0; b <<= 1 {
			n++
		}
	}
	return n
}

// parseMacRoutes reads `netstat -rn -f inet`, which shortens networks: 10.8/16, 192.168.1, 172.16.4.2/32.
func parseMacRoutes(text string) []route {
	var routes []route
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		address, bits, hasBits := strings.Cut(f[0], "/")
		parts := strings.Split(address, ".")
		if !hasBits {
			bits = strconv.Itoa(8 * len(parts))
		}
		for len(parts) < 4 {
			parts = append(parts, "0")
		}
		if p, err := netip.ParsePrefix(strings.Join(parts[:4], ".") + "/" + bits); err == nil && unicast(p) {
			routes = append(routes, route{to: p, card: f[3]})
		}
	}
	return routes
}

// unicast leaves out loopback, multicast, broadcast and the routes to single addresses, which say nothing of networks.
func unicast(p netip.Prefix) bool {
	a := p.Addr()
	return !a.IsLoopback() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255}) && p.Bits() < 32
}

// parseMemInfo reads total and available memory of /proc/meminfo.
func parseMemInfo(text string) (total, free int64) {
	for line := range strings.Lines(text) {
		var kib int64
		key, value, _ := strings.Cut(line, ":")
		if _, err := fmt.Sscanf(strings.TrimSpace(value), "%d kB", &kib); err != nil {
			continue
		}
		switch key {
		case "MemTotal":
			total = kib << 10
		case "MemAvailable":
			free = kib << 10
		}
	}
	return total, free
}

// parseMacMemory reads `sysctl hw.memsize ...` and `vm_stat`.
func parseMacMemory(system, stat string) (total, free int64) {
	for line := range strings.Lines(system) {
		if key, value, ok := strings.Cut(line, ":"); ok && key == "hw.memsize" {
			total, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	page := int64(4096)
	var pages int64
	for line := range strings.Lines(stat) {
		if _, rest, ok := strings.Cut(line, "page size of "); ok {
			_, _ = fmt.Sscanf(rest, "%d bytes", &page)
		}
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "Pages free", "Pages inactive", "Pages speculative", "Pages purgeable":
			n, _ := strconv.ParseInt(strings.Trim(strings.TrimSpace(value), "."), 10, 64)
			pages += n
		}
	}
	return total, pages * page
}
