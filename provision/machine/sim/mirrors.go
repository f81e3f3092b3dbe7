package sim

import (
	"net/url"
	"strings"

	"podium/provision/lab"
	"podium/provision/machine/sim/image"
)

// mirrors are the servers of the classroom's own that a lab names. In the simulator they exist, whatever they are
// called, and have what the upstream has.
func mirrors(l lab.Lab) []Mirror {
	m := l.Mirrors
	apt, security := "http://archive.ubuntu.com/ubuntu", "http://security.ubuntu.com/ubuntu"
	if image.Of(l.Box).ID == "debian" {
		apt, security = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
	}
	var list []Mirror
	add := func(own, upstream string) {
		if own = strings.TrimRight(own, "/"); own != "" {
			list = append(list, Mirror{URL: own, Upstream: upstream})
		}
	}
	add(m.Apt, apt)
	add(m.AptSecurity, security)
	if m.Apt != "" && m.AptSecurity == "" && strings.HasSuffix(strings.TrimRight(m.Apt, "/"), "/debian") {
		add(strings.TrimRight(m.Apt, "/")+"-security", security)
	}
	add(m.Kubernetes, "https://pkgs.k8s.io")
	add(m.Docker, "https://download.docker.com")
	add(m.Jenkins, "https://pkg.jenkins.io")
	add(m.Adoptium, "https://packages.adoptium.net/artifactory")
	add(m.Grafana, "https://apt.grafana.com")
	add(m.GitHub, "https://github.com")
	add(m.CRIO, "https://download.opensuse.org/repositories/isv:/cri-o:")
	add(m.Helm, "https://get.helm.sh")
	add(m.Registry, "https://registry.k8s.io")
	for name, own := range m.Registries {
		add(own, "https://"+name)
	}
	return list
}

// proxies are the host:port of the lab's proxies.
func proxies(l lab.Lab) []string {
	if l.Proxy == nil {
		return nil
	}
	var list []string
	for _, p := range []string{l.Proxy.HTTP, l.Proxy.HTTPS} {
		if u, err := url.Parse(p); err == nil && u.Host != "" {
			list = append(list, u.Host)
		}
	}
	return list
}
