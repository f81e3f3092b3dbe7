package step

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"podium/provision/lab"
	"podium/templates"
)

// virtualAddress is where all control planes together serve the API; empty: there is the first one only.
func virtualAddress(c Context) string {
	if c.Lab.Kubernetes == nil {
		return ""
	}
	return c.Lab.Kubernetes.VirtualAddress
}

// apiEndpoint is host and port by which every node reaches the API.
func apiEndpoint(c Context) string { return net.JoinHostPort(APIName, endpointPort(c)) }

func endpointPort(c Context) string {
	if virtualAddress(c) == "" {
		return apiPort
	}
	return strconv.Itoa(lab.BalancerPort)
}

// behindVirtualAddress: the control planes of a lab whose API has an address of its own.
func behindVirtualAddress(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && m.HasRole(lab.RoleControlPlane) && virtualAddress(c) != ""
}

// controlPlanes lists the machines that serve the API.
func controlPlanes(c Context) []lab.Machine {
	var list []lab.Machine
	for _, m := range c.Machines {
		if m.HasRole(lab.RoleControlPlane) {
			list = append(list, m)
		}
	}
	return list
}

func haproxyConfig(c Context, _ lab.Machine) []File {
	data := templates.HAProxy{Port: lab.BalancerPort}
	for _, m := range controlPlanes(c) {
		data.ControlPlanes = append(data.ControlPlanes, templates.Peer{Name: m.Name, Address: m.Address.String()})
	}
	return []File{file("haproxy.cfg", 0o644, data)}
}

// highestPriority is the first control plane's; each further one has less, and one that cannot reach the API 60 less
// (see keepalived.sh). It leaves room below 255, which VRRP keeps for the owner of an address.
const highestPriority = 150

// keepalivedVars: how the machine takes part in the election of the one that has the virtual address.
func keepalivedVars(c Context, m lab.Machine) Vars {
	v := Vars{"PODIUM_VIRTUAL_ADDRESS": virtualAddress(c), "PODIUM_VRRP_ROUTER": routerID(virtualAddress(c))}
	var peers []string
	for i, other := range controlPlanes(c) {
		if other.Name == m.Name {
			v["PODIUM_VRRP_PRIORITY"] = strconv.Itoa(max(highestPriority-5*i, 61))
		} else {
			peers = append(peers, other.Name+" "+other.Address.String())
		}
	}
	v["PODIUM_VRRP_PEERS"] = strings.Join(peers, "\n")
	return v
}

func checkAPI(Context, lab.Machine) []File {
	return []File{file("check-api", 0o755, templates.CheckAPI{Port: lab.BalancerPort})}
}

// routerID tells virtual addresses of one network apart: the last byte of the address, which is 1 to 255.
func routerID(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4() {
		return "1" // lab.Validate has refused it
	}
	return strconv.Itoa(max(1, int(a.As4()[3])))
}

// initVars: where people find the API, if it has an address of its own.
func initVars(c Context, _ lab.Machine) Vars {
	v := Vars{}
	if address := virtualAddress(c); address != "" {
		v["PODIUM_API_URL"] = "https://" + net.JoinHostPort(address, endpointPort(c))
	}
	return v
}
