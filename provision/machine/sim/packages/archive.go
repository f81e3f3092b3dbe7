package packages

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"podium/provision/machine/sim/image"
)

// Archives are all archives of the simulated internet, by the beginning of their address.
type Archives struct {
	once sync.Once
	all  map[string]*Archive
}

// At finds the archive at an address such as http://archive.ubuntu.com/ubuntu; nil if there is none.
func (a *Archives) At(url string) *Archive {
	a.once.Do(func() { a.all = build() })
	url = strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(url, "https://"), "http://"), "/")
	if strings.Contains(url, ".archive.ubuntu.com/") { // a country's mirror
		url = "archive.ubuntu.com/ubuntu"
	}
	return a.all[url]
}

func build() map[string]*Archive {
	all := map[string]*Archive{}
	noble := image.Of("ubuntu-24.04")
	ubuntu := &Archive{
		Key:      "archive.ubuntu.com",
		Suites:   suites(noble.Codename, "-updates", "-backports", "-security", "-proposed"),
		Packages: distribution(noble),
	}
	for _, url := range []string{"archive.ubuntu.com/ubuntu", "security.ubuntu.com/ubuntu", "ports.ubuntu.com/ubuntu-ports"} {
		all[url] = ubuntu
	}
	debian := map[string]*Archive{}
	for _, box := range []string{"debian-12", "debian-13"} {
		d := image.Of(box)
		debian[d.Codename] = &Archive{
			Key: "deb.debian.org", Suites: suites(d.Codename, "-updates", "-backports", "-security"), Packages: distribution(d),
		}
	}
	for _, url := range []string{"deb.debian.org/debian", "deb.debian.org/debian-security", "security.debian.org/debian-security", "httpredir.debian.org/debian"} {
		all[url] = &Archive{Key: "deb.debian.org", Suites: map[string][]string{}}
		for _, a := range debian {
			for suite, comps := range a.Suites {
				all[url].Suites[suite] = comps
			}
		}
	}
	// Two releases share the address: the suite decides. See OfSuite.
	all["debian:bookworm"], all["debian:trixie"] = debian["bookworm"], debian["trixie"]
	for _, minor := range kubernetesMinors() {
		all["pkgs.k8s.io/core:/stable:/v"+minor.name+"/deb"] = kubernetesArchive(minor)
		all["download.opensuse.org/repositories/isv:/cri-o:/stable:/v"+minor.name+"/deb"] = crioArchive(minor)
	}
	for _, d := range []image.Distribution{noble, image.Of("debian-12"), image.Of("debian-13")} {
		url := "download.docker.com/linux/" + d.ID
		if all[url] == nil {
			all[url] = &Archive{Key: "download.docker.com", Suites: map[string][]string{}}
		}
		all[url].Suites[d.Codename] = []string{"stable", "test"}
		all["docker:"+d.Codename] = &Archive{Key: "download.docker.com", Packages: docker(d)}
	}
	all["pkg.jenkins.io/debian-stable"] = &Archive{Key: "pkg.jenkins.io", Suites: map[string][]string{"binary/": nil}, Packages: jenkins("2.568.1")}
	all["pkg.jenkins.io/debian"] = &Archive{Key: "pkg.jenkins.io", Suites: map[string][]string{"binary/": nil}, Packages: jenkins("2.580")}
	all["apt.grafana.com"] = &Archive{Key: "apt.grafana.com", Suites: map[string][]string{"stable": {"main"}, "beta": {"main"}}, Packages: grafana()}
	all["packages.adoptium.net/artifactory/deb"] = &Archive{
		Key: "packages.adoptium.net", Suites: suitesOf("noble", "bookworm", "trixie"), Packages: adoptium(),
	}
	return all
}

// OfSuite narrows an archive down where releases share an address.
func (a *Archives) OfSuite(url, suite string) *Archive {
	archive := a.At(url)
	if archive == nil || archive.Packages != nil {
		return archive
	}
	name, _, _ := strings.Cut(suite, "-")
	kind := "debian:"
	if archive.Key == "download.docker.com" {
		kind = "docker:"
	}
	return a.all[kind+name]
}

func suites(codename string, more ...string) map[string][]string {
	comps := []string{"main", "universe", "restricted", "multiverse", "contrib", "non-free", "non-free-firmware"}
	m := map[string][]string{codename: comps}
	for _, s := range more {
		m[codename+s] = comps
	}
	return m
}

func suitesOf(names ...string) map[string][]string {
	m := map[string][]string{}
	for _, n := range names {
		m[n] = []string{"main"}
	}
	return m
}

type minorVersion struct {
	name   string
	newest int
}

// kubernetesMinors are the minor versions that pkgs.k8s.io has, with their newest patches as of autumn 2026.
func kubernetesMinors() []minorVersion {
	return []minorVersion{{"1.33", 12}, {"1.34", 9}, {"1.35", 6}, {"1.36", 3}, {"1.37", 1}}
}

func kubernetesArchive(minor minorVersion) *Archive {
	a := &Archive{Key: "pkgs.k8s.io", Suites: map[string][]string{"/": nil}}
	var s set
	for patch := range minor.newest + 1 {
		s = append(s, kubernetes(fmt.Sprintf("%s.%d", minor.name, patch))...)
	}
	s.add("kubernetes-cni", "1.7.1-1.1", "/opt/cni/bin/bridge /opt/cni/bin/host-local /opt/cni/bin/loopback /opt/cni/bin/portmap /opt/cni/bin/firewall "+
		"/opt/cni/bin/bandwidth /opt/cni/bin/tuning /opt/cni/bin/static /opt/cni/bin/vlan", size(80000))
	s.add("cri-tools", minor.name+".0-1.1", "crictl", size(60000))
	a.Packages = s
	a.exact = func(name, version string) *Package {
		v, _, _ := strings.Cut(version, "-")
		if !strings.HasPrefix(v, minor.name+".") {
			return nil
		}
		i := slices.IndexFunc(kubernetes(v), func(p *Package) bool { return p.Name == name })
		if i < 0 {
			return nil
		}
		return kubernetes(v)[i]
	}
	return a
}

// crioArchive has CRI-O's packages of one minor version, as https://github.com/cri-o/packaging makes them.
func crioArchive(minor minorVersion) *Archive {
	var s set
	for patch := range 3 {
		s.add("cri-o", fmt.Sprintf("%s.%d-1.1", minor.name, patch), "crio pinns /usr/libexec/crio/crun=runc /usr/libexec/crio/runc /usr/libexec/crio/conmon=true", depends("iptables"), size(180000),
			conf("/etc/crio/crio.conf.d/10-crio.conf", "[crio.image]\nsignature_policy = \"/etc/crio/policy.json\"\n\n[crio.runtime]\ndefault_runtime = \"crun\"\n\n"+
				"[crio.runtime.runtimes.crun]\nruntime_path = \"/usr/libexec/crio/crun\"\nmonitor_path = \"/usr/libexec/crio/conmon\"\n"),
			conf("/etc/cni/net.d/10-crio-bridge.conflist.disabled", "{\"cniVersion\": \"1.0.0\", \"name\": \"crio\", \"plugins\": [{\"type\": \"bridge\"}]}\n"),
			idleUnit("crio.service", "[Unit]\nDescription=Container Runtime Interface for OCI (CRI-O)\nAfter=network-online.target\n\n"+
				"[Service]\nType=notify\nExecStart=/usr/bin/crio\nRestart=on-failure\n\n[Install]\nWantedBy=multi-user.target\nAlias=cri-o.service\n"))
	}
	return &Archive{Key: "download.opensuse.org", Suites: map[string][]string{"/": nil}, Packages: s}
}

func kubernetes(version string) set {
	var s set
	v := version + "-1.1"
	s.add("kubelet", v, "kubelet", depends("iptables", "kubernetes-cni", "mount", "util-linux"), size(60000),
		idleUnit("kubelet.service", "[Unit]\nDescription=kubelet: The Kubernetes Node Agent\nWants=network-online.target\nAfter=network-online.target\n\n"+
			"[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\nStartLimitInterval=0\nRestartSec=10\n\n[Install]\nWantedBy=multi-user.target\n"),
		conf("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=\n"))
	s.add("kubeadm", v, "kubeadm", depends("cri-tools"), size(75000),
		file("/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", "# Note: This dropin only works with kubeadm and kubelet v1.11+\n[Service]\n"+
			"Environment=\"KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf\"\n"+
			"Environment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\"\nEnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n"+
			"EnvironmentFile=-/etc/default/kubelet\nExecStart=\n"+
			"ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n"))
	s.add("kubectl", v, "kubectl", size(60000))
	return s
}

func docker(d image.Distribution) []*Package {
	tail := "-1~" + d.ID + "." + d.Version + "~" + d.Codename
	var s set
	for _, version := range []string{"2.2.1", "2.3.2"} {
		s.add("containerd.io", version+tail, "containerd containerd-shim-runc-v2 ctr runc", size(120000), breaks("containerd", "runc"), provides("containerd", "runc"),
			conf("/etc/containerd/config.toml", "disabled_plugins = [\"cri\"]\n"), unit("containerd.service", containerdUnit()))
	}
	s.add("docker-ce-cli", "5:29.1.3"+tail, "docker", size(45000))
	s.add("docker-buildx-plugin", "0.30.1"+tail, "/usr/libexec/docker/cli-plugins/docker-buildx", size(80000))
	s.add("docker-compose-plugin", "5.0.1"+tail, "/usr/libexec/docker/cli-plugins/docker-compose", size(60000))
	s.add("docker-ce", "5:29.1.3"+tail, "dockerd docker-init docker-proxy", depends("containerd.io", "docker-ce-cli", "iptables"), size(110000),
		groups("docker"), breaks("docker.io"), unit("docker.service", dockerUnit()), idleUnit("docker.socket", "[Socket]\nListenStream=/run/docker.sock\n"))
	return s
}

func containerdUnit() string {
	return "[Unit]\nDescription=containerd container runtime\nAfter=network.target dbus.service\n\n[Service]\nExecStartPre=-/sbin/modprobe overlay\n" +
		"ExecStart=/usr/bin/containerd\nType=notify\nDelegate=yes\nKillMode=process\nRestart=always\nRestartSec=5\n\n[Install]\nWantedBy=multi-user.target\n"
}

func dockerUnit() string {
	return "[Unit]\nDescription=Docker Application Container Engine\nAfter=network-online.target containerd.service\nWants=network-online.target containerd.service\n\n" +
		"[Service]\nType=notify\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\nExecReload=/bin/kill -s HUP $MAINPID\n" +
		"Restart=always\nRestartSec=2\nKillMode=process\n\n[Install]\nWantedBy=multi-user.target\n"
}

func jenkins(version string) []*Package {
	var s set
	s.add("jenkins", version, "/usr/bin/jenkins=jenkins", func(p *Package) { p.Arch = "all" }, size(95000), users("jenkins"),
		dirs("/var/lib/jenkins jenkins", "/var/cache/jenkins jenkins", "/var/log/jenkins jenkins"), file("/usr/share/java/jenkins.war", "simulated\n"),
		unit("jenkins.service", "[Unit]\nDescription=Jenkins Continuous Integration Server\nRequires=network.target\nAfter=network.target\n\n[Service]\n"+
			"Type=notify\nNotifyAccess=main\nExecStart=/usr/bin/jenkins\nRestart=on-failure\nUser=jenkins\nGroup=jenkins\n"+
			"Environment=\"JENKINS_HOME=/var/lib/jenkins\"\nWorkingDirectory=/var/lib/jenkins\nEnvironment=\"JENKINS_WEBROOT=%C/jenkins/war\"\n"+
			"Environment=\"JAVA_OPTS=-Djava.awt.headless=true\"\nEnvironment=\"JENKINS_PORT=8080\"\n\n[Install]\nWantedBy=multi-user.target\n"))
	return s
}

func grafana() []*Package {
	var s set
	s.add("grafana", "12.4.2", "/usr/sbin/grafana-server=grafana-server /usr/sbin/grafana-cli=grafana-cli /usr/share/grafana/bin/grafana=grafana",
		size(700000), users("grafana"), dirs("/var/lib/grafana grafana", "/var/log/grafana grafana", "/etc/grafana/provisioning/datasources", "/etc/grafana/provisioning/dashboards"),
		conf("/etc/grafana/grafana.ini", "[server]\n;http_port = 3000\n"), conf("/etc/default/grafana-server", "CONF_DIR=/etc/grafana\nDATA_DIR=/var/lib/grafana\n"),
		// Grafana's package neither enables nor starts its service.
		idleUnit("grafana-server.service", "[Unit]\nDescription=Grafana instance\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\n"+
			"EnvironmentFile=/etc/default/grafana-server\nUser=grafana\nGroup=grafana\nType=notify\nRestart=on-failure\nWorkingDirectory=/usr/share/grafana\n"+
			"ExecStart=/usr/share/grafana/bin/grafana server --config=/etc/grafana/grafana.ini\n\n[Install]\nWantedBy=multi-user.target\n"))
	return s
}

func adoptium() []*Package {
	var s set
	for _, v := range []string{"17", "21", "25"} {
		s.add("temurin-"+v+"-jre", v+".0.9.0.0+10-0", "java", size(180000), provides("java-runtime-headless"))
	}
	return s
}
