package step

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/lab"
)

// Common is the variables that every script may use. A step of podium's own gets those that it mentions (see
// Mentioned), so that a change of one touches only the steps it matters to; a step of the lab's own gets all.
func Common(c Context, m lab.Machine) Vars {
	v := Vars{
		"PODIUM_LAB":     c.Lab.Name,
		"PODIUM_NODE":    m.Name,
		"PODIUM_ADDRESS": m.Address.String(),
		"PODIUM_NETWORK": c.Lab.Network,
		"PODIUM_ROLES":   strings.Join(m.Roles, ","),
		"PODIUM_USER":    account(c, m),
		"PODIUM_SOURCE":  c.Lab.Source,
		"PODIUM_HOSTS":   hostLines(c),
	}
	if kubernetes(c, m) {
		v["PODIUM_RUNTIME"], v["PODIUM_CRI_SOCKET"] = c.Lab.Runtime, CRISocket(c.Lab.Runtime)
	}
	for name, value := range c.Lab.Mirrors.Variables() {
		v[name] = value
	}
	keyVars(v, c.Lab.Mirrors.Variables())
	v.set("PODIUM_MIRROR_REGISTRIES", registryLines(c.Lab.Mirrors.Registries))
	v.set("PODIUM_DNS", strings.Join(c.Lab.DNS, " "))
	if p := c.Lab.Proxy; p != nil {
		v.set("PODIUM_HTTP_PROXY", first(p.HTTP, p.HTTPS))
		v.set("PODIUM_HTTPS_PROXY", first(p.HTTPS, p.HTTP))
		v.set("PODIUM_NO_PROXY", noProxy(c))
	}
	return v
}

// keyVars adds the fingerprints of the keys that sources sign with. A mirror in a source's place may sign with its own.
func keyVars(v Vars, mirrors map[string]string) {
	for _, s := range catalogue.All().Sources {
		if s.Key != nil && s.Key.Fingerprint != "" && mirrors["PODIUM_MIRROR_"+variablePart(s.Mirror)] == "" {
			v["PODIUM_KEY_"+variablePart(s.Name)] = s.Key.Fingerprint
		}
	}
}

// variablePart is a name of the catalogue as a part of a variable's.
func variablePart(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// account is who podium logs in as on the machine.
func account(c Context, m lab.Machine) string {
	if m.SSH != nil && m.SSH.User != "" {
		return m.SSH.User
	}
	return c.Lab.User
}

// Mentioned is the variables whose names stand in one of the texts.
func (v Vars) Mentioned(texts ...string) Vars {
	some := Vars{}
	for name, value := range v {
		if slices.ContainsFunc(texts, func(t string) bool { return mentions(t, name) }) {
			some[name] = value
		}
	}
	return some
}

// mentions reports whether the name stands in the text as a whole word.
func mentions(text, name string) bool {
	for rest := text; ; {
		at := strings.Index(rest, name)
		if at < 0 {
			return false
		}
		rest = rest[at+len(name):]
		if rest == "" || !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", rune(rest[0])) {
			return true
		}
	}
}

// set adds a variable that has a value.
func (v Vars) set(name, value string) {
	if value != "" {
		v[name] = value
	}
}

// hostLines is /etc/hosts for the lab: "address name", and the API's name at its virtual address or the first control
// plane.
func hostLines(c Context) string {
	api, _ := controlPlane(c)
	virtual := virtualAddress(c)
	var b strings.Builder
	for _, m := range c.Machines {
		b.WriteString(m.Address.String() + " " + m.Name)
		if c.Lab.Kubernetes != nil && m.Name == api.Name && virtual == "" {
			b.WriteString(" " + APIName)
		}
		b.WriteByte('\n')
	}
	if virtual != "" {
		b.WriteString(virtual + " " + APIName)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// registryLines is "registry url" a line, sorted.
func registryLines(registries map[string]string) string {
	var lines []string
	for name, url := range registries {
		lines = append(lines, name+" "+url)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// noProxy is what must not go through the proxy: the machine itself, the lab's network, pods and services, and mirrors in
// the local network.
func noProxy(c Context) string {
	list := append([]string{"localhost", "127.0.0.1", c.Lab.Network}, localMirrors(c.Lab.Mirrors)...)
	if k := c.Lab.Kubernetes; k != nil {
		list = append(list, k.PodSubnet, k.ServiceSubnet, ".svc", ".cluster.local", APIName)
	}
	return strings.Join(append(list, c.Lab.Proxy.NoProxy...), ",")
}

// localMirrors are the hosts of mirrors that no proxy stands before: private addresses, and names without a domain or in
// one of the domains kept for local networks. A public mirror may be reached by the proxy only.
func localMirrors(m lab.Mirrors) []string {
	var hosts []string
	for _, urls := range []map[string]string{m.Variables(), m.Registries} {
		for _, address := range urls {
			if u, err := url.Parse(address); err == nil && isLocal(u.Hostname()) {
				hosts = append(hosts, u.Hostname())
			}
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// isLocal: the domains are those of RFC 6762, RFC 8375 and ICANN's .internal, and what home routers use.
func isLocal(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast()
	}
	if !strings.Contains(host, ".") {
		return true
	}
	return slices.ContainsFunc([]string{".local", ".internal", ".home.arpa", ".lan", ".home"}, func(domain string) bool {
		return strings.HasSuffix(host, domain)
	})
}

// dockerVars: a cluster's engine needs no section docker.
func dockerVars(c Context, _ lab.Machine) Vars {
	var users []string
	if c.Lab.Docker != nil {
		users = c.Lab.Docker.Users
	}
	return Vars{"PODIUM_DOCKER_USERS": strings.Join(users, " ")}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
