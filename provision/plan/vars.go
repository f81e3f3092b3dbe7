package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"podium/provision/lab"
	"podium/provision/step"
)

// commonVars are the variables that every script gets.
func commonVars(c step.Context, m lab.Machine) map[string]string {
	l := c.Lab
	user := l.User
	if m.SSH != nil && m.SSH.User != "" {
		user = m.SSH.User
	}
	vars := map[string]string{
		"PODIUM_LAB":     l.Name,
		"PODIUM_NODE":    m.Name,
		"PODIUM_ADDRESS": m.Address.String(),
		"PODIUM_NETWORK": l.Network,
		"PODIUM_ROLES":   strings.Join(m.Roles, ","),
		"PODIUM_USER":    user,
		"PODIUM_SOURCE":  l.Source,
		"PODIUM_HOSTS":   hosts(c.Machines),
	}
	maps.Copy(vars, l.Mirrors.Variables())
	if len(l.Mirrors.Registries) > 0 {
		var lines []string
		for _, registry := range slices.Sorted(maps.Keys(l.Mirrors.Registries)) {
			lines = append(lines, registry+" "+l.Mirrors.Registries[registry])
		}
		vars["PODIUM_MIRROR_REGISTRIES"] = strings.Join(lines, "\n")
	}
	if l.Proxy != nil {
		maps.Copy(vars, proxyVars(l, c.Machines))
	}
	if len(l.DNS) > 0 {
		vars["PODIUM_DNS"] = strings.Join(l.DNS, " ")
	}
	return vars
}

// hosts are the lines that the hosts file of every machine gets.
func hosts(machines []lab.Machine) string {
	lines := make([]string, len(machines))
	for i, m := range machines {
		lines[i] = fmt.Sprintf("%s %s", m.Address, m.Name)
	}
	return strings.Join(lines, "\n")
}

// proxyVars keep what the machines say to each other away from the proxy.
func proxyVars(l lab.Lab, machines []lab.Machine) map[string]string {
	direct := []string{"localhost", "127.0.0.1", "::1", l.Network}
	if k := l.Kubernetes; k != nil {
		direct = append(direct, k.PodSubnet, k.ServiceSubnet, ".svc", ".cluster.local")
	}
	for _, m := range machines {
		direct = append(direct, m.Name)
	}
	direct = append(direct, l.Proxy.NoProxy...)
	https := l.Proxy.HTTPS
	if https == "" {
		https = l.Proxy.HTTP
	}
	vars := map[string]string{"PODIUM_NO_PROXY": strings.Join(direct, ",")}
	if l.Proxy.HTTP != "" {
		vars["PODIUM_HTTP_PROXY"] = l.Proxy.HTTP
	}
	if https != "" {
		vars["PODIUM_HTTPS_PROXY"] = https
	}
	return vars
}

