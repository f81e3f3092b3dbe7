package packages

import (
	"fmt"
	"strings"

	"podium/provision/machine/sim/image"
)

// distribution are the packages of a release: those that a box comes with, and others that labs use.
func distribution(d image.Distribution) []*Package {
	s := set(base(d))
	debian := d.ID == "debian"
	pick := func(noble, bookworm, trixie string) string {
		return map[string]string{"noble": noble, "bookworm": bookworm, "trixie": trixie}[d.Codename]
	}
	s.add("conntrack", pick("1:1.4.8-1ubuntu1", "1:1.4.7-1+b2", "1:1.4.8-2"), "/usr/sbin/conntrack")
	s.add("ebtables", "2.0.11-6", "/usr/sbin/ebtables")
	s.add("ethtool", "1:6.7-1", "/usr/sbin/ethtool")
	s.add("ipset", "7.19-1", "/usr/sbin/ipset")
	s.add("ipvsadm", "1:1.31-1", "/usr/sbin/ipvsadm")
	s.add("socat", "1.8.0.0-4", "socat")
	s.add("jq", "1.7.1-3", "jq")
	s.add("git", "1:2.43.0-1", "git", size(25000))
	s.add("chrony", "4.5-1", "chronyc /usr/sbin/chronyd", breaks("systemd-timesyncd"), users("_chrony"),
		unit("chrony.service", daemon("chrony, an NTP client/server", "/usr/sbin/chronyd -F 1")))
	s.add("nginx", "1.24.0-2", "/usr/sbin/nginx", unit("nginx.service", daemon("A high performance web server", "/usr/sbin/nginx")))
	s.add("haproxy", "2.8.5-1", "/usr/sbin/haproxy", users("haproxy"), conf("/etc/haproxy/haproxy.cfg", "global\n"),
		unit("haproxy.service", daemon("HAProxy Load Balancer", "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg")))
	s.add("keepalived", pick("1:2.2.8-1build2", "1:2.2.7-1+b2", "1:2.3.3-1"), "/usr/sbin/keepalived", dirs("/etc/keepalived root"),
		unit("keepalived.service", daemon("Keepalive Daemon (LVS and VRRP)", "/usr/sbin/keepalived --dont-fork")))
	s.add("nfs-common", "1:2.6.4-3", "/usr/sbin/mount.nfs showmount")
	s.add("nfs-kernel-server", "1:2.6.4-3", "/usr/sbin/exportfs /usr/sbin/rpc.nfsd", depends("nfs-common"),
		unit("nfs-server.service", daemon("NFS server", "/usr/sbin/rpc.nfsd", "Type=oneshot", "RemainAfterExit=yes", "ExecStop=/usr/sbin/rpc.nfsd 0")))
	s.add("fontconfig", "2.15.0-1", "fc-list fc-cache")
	for _, v := range strings.Fields(pick("8 11 17 21 25", "17", "21 25")) {
		s.add("openjdk-"+v+"-jre-headless", v+".0.9+10-1", "java keytool", size(190000), provides("java-runtime-headless"))
		s.add("openjdk-"+v+"-jre", v+".0.9+10-1", "", depends("openjdk-"+v+"-jre-headless"))
		s.add("openjdk-"+v+"-jdk", v+".0.9+10-1", "javac", depends("openjdk-"+v+"-jre"))
	}
	s.add("runc", pick("1.3.3-0ubuntu1~24.04.2", "1.1.5+ds1-1+deb12u1", "1.1.15+ds1-2"), "/usr/sbin/runc", size(10000))
	s.add("containerd", pick("2.2.1-0ubuntu1~24.04.3", "1.6.20~ds1-1+deb12u1", "1.7.24~ds1-6"), "containerd ctr containerd-shim-runc-v2", depends("runc"),
		size(90000), conf("/etc/containerd/config.toml", debianConfig(debian)), unit("containerd.service", containerdUnit()))
	s.add("docker.io", pick("28.2.2-0ubuntu1~24.04.1", "20.10.24+dfsg1-1+deb12u1", "26.1.5+dfsg1-9"), pick("dockerd docker", "/usr/sbin/dockerd docker", "/usr/sbin/dockerd"),
		depends(append([]string{"containerd", "runc", "iptables"}, map[bool][]string{true: {"docker-cli"}}[d.Codename == "trixie"]...)...), size(130000), groups("docker"),
		unit("docker.service", strings.Replace(dockerUnit(), "/usr/bin/dockerd", pick("/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/sbin/dockerd"), 1)))
	switch d.Codename {
	case "noble":
		s.add("docker-buildx", "0.21.3-0ubuntu1~24.04.1", "/usr/libexec/docker/cli-plugins/docker-buildx")
		s.add("docker-compose-v2", "2.37.1+ds1-0ubuntu2~24.04.1", "/usr/libexec/docker/cli-plugins/docker-compose")
		s.add("docker-compose", "1.29.2-6ubuntu1", "docker-compose")
	case "bookworm":
		s.add("docker-compose", "1.29.2-3", "docker-compose")
	case "trixie":
		s.add("docker-cli", "26.1.5+dfsg1-9", "docker")
		s.add("docker-buildx", "0.13.1+ds1-3", "/usr/libexec/docker/cli-plugins/docker-buildx")
		s.add("docker-compose", "2.26.1-4", "docker-compose")
	}
	s.add("containernetworking-plugins", "1.1.1-3", "/usr/lib/cni/bridge /usr/lib/cni/host-local /usr/lib/cni/portmap /usr/lib/cni/loopback /usr/lib/cni/firewall")
	s.add("prometheus", pick("2.45.3+ds-2ubuntu0.3", "2.42.0+ds-5+b5", "2.53.3+ds1-2"), "prometheus promtool", size(190000), users("prometheus"),
		dirs("/var/lib/prometheus prometheus"), conf("/etc/prometheus/prometheus.yml", "global:\n  scrape_interval: 15s\nscrape_configs:\n  - job_name: prometheus\n"+
			"    static_configs:\n      - targets: ['localhost:9090']\n"), conf("/etc/default/prometheus", "ARGS=\"\"\n"), depends("prometheus-node-exporter"),
		unit("prometheus.service", "[Unit]\nDescription=Monitoring system and time series database\n\n[Service]\nRestart=on-failure\nUser=prometheus\n"+
			"EnvironmentFile=/etc/default/prometheus\nExecStart=/usr/bin/prometheus $ARGS\nExecReload=/bin/kill -HUP $MAINPID\nTimeoutStopSec=20s\n\n[Install]\nWantedBy=multi-user.target\n"))
	s.add("prometheus-node-exporter", pick("1.7.0-1ubuntu0.3", "1.5.0-1+b6", "1.9.0-1"), "prometheus-node-exporter=node_exporter", size(11000), users("prometheus"),
		conf("/etc/default/prometheus-node-exporter", "ARGS=\"\"\n"),
		unit("prometheus-node-exporter.service", "[Unit]\nDescription=Prometheus exporter for machine metrics\n\n[Service]\nRestart=on-failure\nUser=prometheus\n"+
			"EnvironmentFile=/etc/default/prometheus-node-exporter\nExecStart=/usr/bin/prometheus-node-exporter $ARGS\n\n[Install]\nWantedBy=multi-user.target\n"))
	s.add("docker-registry", pick("2.8.3+ds1-2ubuntu0.1", "2.8.2+ds1-1", "2.8.3+ds1-4"), "docker-registry", size(38000), users("docker-registry"),
		dirs("/var/lib/docker-registry docker-registry"), conf("/etc/docker/registry/config.yml", "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /var/lib/docker-registry\nhttp:\n  addr: :5000\n"),
		unit("docker-registry.service", "[Unit]\nDescription=the Docker toolset to pack, ship, store, and deliver content\nAfter=network.target\n\n[Service]\nUser=docker-registry\n"+
			"ExecStart=/usr/bin/docker-registry serve /etc/docker/registry/config.yml\n\n[Install]\nWantedBy=multi-user.target\n"))
	s.add("prometheus-alertmanager", pick("0.26.0+ds-1ubuntu0.3", "0.25.0-1+b4", "0.28.1+ds-2"), "prometheus-alertmanager=alertmanager amtool", size(52000), users("prometheus"),
		dirs("/var/lib/prometheus/alertmanager prometheus"), conf("/etc/default/prometheus-alertmanager", "ARGS=\"\"\n"),
		conf("/etc/prometheus/alertmanager.yml", "route:\n  receiver: web.hook\nreceivers:\n  - name: web.hook\n"),
		unit("prometheus-alertmanager.service", "[Unit]\nDescription=Alertmanager for prometheus\n\n[Service]\nRestart=on-failure\nUser=prometheus\n"+
			"EnvironmentFile=/etc/default/prometheus-alertmanager\nExecStart=/usr/bin/prometheus-alertmanager $ARGS\nExecReload=/bin/kill -HUP $MAINPID\nTimeoutStopSec=20s\n\n"+
			"[Install]\nWantedBy=multi-user.target\n"))
	s.add("etcd-server", "3.4.30-1", "etcd", users("etcd"), size(40000))
	s.add("etcd-client", "3.4.30-1", "etcdctl")
	for _, name := range strings.Fields("tree htop unzip zip make gcc vim tmux screen net-tools dnsutils bind9-dnsutils tcpdump traceroute nmap python3-pip python3-venv " +
		"bridge-utils apt-transport-https software-properties-common redis-server mariadb-server postgresql apache2 acl attr cifs-utils open-iscsi dnsmasq ansible " +
		"build-essential golang-go nodejs npm maven gradle sshpass iperf3 stress stress-ng sysstat iotop dstat ncdu bash-completion fio ntpsec zstd rsync") {
		s.add(name, "1.0-1", programsOf(name))
	}
	return s
}

// programsOf are the programs of packages without a model, by a name that people look for.
func programsOf(name string) string {
	special := map[string]string{
		"dnsutils": "dig nslookup host", "bind9-dnsutils": "dig nslookup host", "net-tools": "netstat ifconfig route arp", "python3-pip": "pip3 pip",
		"redis-server": "redis-server redis-cli", "mariadb-server": "mariadbd mysql", "postgresql": "psql", "apache2": "/usr/sbin/apache2",
		"build-essential": "", "apt-transport-https": "", "software-properties-common": "add-apt-repository", "golang-go": "go", "maven": "mvn",
		"python3-venv": "", "bash-completion": "", "cifs-utils": "mount.cifs", "open-iscsi": "iscsiadm", "bridge-utils": "brctl", "acl": "setfacl getfacl",
		"sysstat": "iostat sar", "nodejs": "node",
	}
	if programs, ok := special[name]; ok {
		return programs
	}
	return name
}

func debianConfig(debian bool) string {
	if debian {
		return "version = 2\n\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    [plugins.\"io.containerd.grpc.v1.cri\".cni]\n      bin_dir = \"/usr/lib/cni\"\n      conf_dir = \"/etc/cni/net.d\"\n"
	}
	return "version = 2\n"
}

// base are the packages that a box comes with.
func base(d image.Distribution) []*Package {
	var s set
	ubuntu := d.ID == "ubuntu"
	add := func(name, programs string, more ...func(*Package)) { s.add(name, baseVersion(name), programs, more...) }
	add("bash", "/usr/bin/bash /usr/bin/rbash=bash")
	add("dash", "/usr/bin/sh /usr/bin/dash=sh")
	add("coreutils", "arch base64 basename cat chgrp chmod chown comm cp cut date dd df dircolors dirname du echo env expand=cat false fold groups head id install join=split "+
		"ln ls md5sum mkdir mktemp mv nice nl nohup nproc od paste printenv printf pwd readlink realpath rm rmdir seq sha1sum sha256sum sha512sum sleep "+
		"sort split stat stdbuf stty sync tac tail tee test [ timeout touch tr true truncate tty uname uniq unlink wc who whoami yes /usr/sbin/chroot")
	add("grep", "grep egrep fgrep")
	add("sed", "sed")
	add("findutils", "find xargs")
	add("diffutils", "diff cmp")
	add("tar", "tar")
	add("gzip", "gzip gunzip zcat")
	add("xz-utils", "xz unxz")
	add("util-linux", "flock setsid lsblk logger findmnt mountpoint fallocate lscpu column=column rev more last getopt ionice whereis=which "+
		"/usr/sbin/runuser /usr/sbin/swapon /usr/sbin/swapoff /usr/sbin/mkswap /usr/sbin/blkid /usr/sbin/agetty")
	add("mount", "mount umount")
	add("procps", "ps free kill pgrep pkill uptime watch=which w=who top=ps /usr/sbin/sysctl")
	add("psmisc", "killall=pkill fuser=which")
	add("sysvinit-utils", "pidof")
	add("hostname", "hostname")
	add("kmod", "/usr/sbin/modprobe /usr/sbin/lsmod /usr/sbin/rmmod /usr/sbin/insmod /usr/sbin/depmod /usr/sbin/modinfo lsmod")
	add("libc-bin", "getent getconf locale ldd=which iconv=cat")
	add("login", "login=true")
	add("passwd", "passwd chage=true gpasswd /usr/sbin/useradd /usr/sbin/usermod /usr/sbin/userdel /usr/sbin/groupadd /usr/sbin/chpasswd")
	add("adduser", "/usr/sbin/adduser /usr/sbin/addgroup")
	add("sudo", "sudo")
	add("debianutils", "which tempfile=mktemp")
	add("ncurses-bin", "clear tput reset")
	add("less", "less")
	add("file", "file")
	add("dpkg", "dpkg dpkg-query dpkg-deb dpkg-divert=true update-alternatives=true")
	add("apt", "apt apt-get apt-cache apt-mark apt-config apt-key",
		unit("apt-daily.timer", "[Unit]\nDescription=Daily apt download activities\n\n[Timer]\nOnCalendar=*-*-* 6,18:00\n\n[Install]\nWantedBy=timers.target\n"),
		unit("apt-daily-upgrade.timer", "[Unit]\nDescription=Daily apt upgrade and clean activities\n\n[Timer]\nOnCalendar=*-*-* 6:00\n\n[Install]\nWantedBy=timers.target\n"),
		idleUnit("apt-daily.service", "[Unit]\nDescription=Daily apt download activities\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/true\n"),
		idleUnit("apt-daily-upgrade.service", "[Unit]\nDescription=Daily apt upgrade and clean activities\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/true\n"))
	add("apt-utils", "apt-extracttemplates=true")
	add("debconf", "debconf-set-selections debconf=true")
	add("ca-certificates", "/usr/sbin/update-ca-certificates=true", file("/etc/ssl/certs/ca-certificates.crt", "simulated\n"))
	add("curl", "curl")
	add("wget", "wget")
	add("gpg", "gpg")
	add("gnupg", "gpg-agent=true")
	add("openssl", "openssl")
	add("openssh-client", "ssh ssh-keygen ssh-keyscan scp sftp")
	add("openssh-sftp-server", "/usr/lib/openssh/sftp-server")
	sshd := daemon("OpenBSD Secure Shell server", "/usr/sbin/sshd -D", "ExecReload=/bin/kill -HUP $MAINPID")
	add("openssh-server", "/usr/sbin/sshd", unit("ssh.service", sshd))
	add("iproute2", "ip ss /usr/sbin/ip=ip /usr/sbin/bridge=ip")
	add("iputils-ping", "ping")
	add("netcat-openbsd", "nc")
	add("cron", "crontab /usr/sbin/cron", unit("cron.service", daemon("Regular background program processing daemon", "/usr/sbin/cron -f")))
	add("dbus", "dbus-daemon", unit("dbus.service", daemon("D-Bus System Message Bus", "/usr/bin/dbus-daemon --system")))
	add("systemd", "systemctl journalctl hostnamectl timedatectl loginctl systemd-detect-virt systemd-tmpfiles systemd-sysusers systemd-cat systemd-notify busctl "+
		"/usr/sbin/reboot /usr/sbin/poweroff /usr/sbin/halt /usr/sbin/shutdown /usr/lib/systemd/systemd-journald /usr/lib/systemd/systemd-networkd /usr/lib/systemd/systemd-logind",
		idleUnit("multi-user.target", "[Unit]\nDescription=Multi-User System\n"), idleUnit("timers.target", "[Unit]\nDescription=Timer Units\n"),
		idleUnit("network.target", "[Unit]\nDescription=Network\n"), idleUnit("network-online.target", "[Unit]\nDescription=Network is Online\n"),
		idleUnit("basic.target", "[Unit]\nDescription=Basic System\n"), idleUnit("sysinit.target", "[Unit]\nDescription=System Initialization\n"),
		idleUnit("swap.target", "[Unit]\nDescription=Swaps\n"),
		unit("systemd-journald.service", daemon("Journal Service", "/usr/lib/systemd/systemd-journald")),
		unit("systemd-logind.service", daemon("User Login Management", "/usr/lib/systemd/systemd-logind")),
		map[bool]func(*Package){
			true:  unit("systemd-networkd.service", daemon("Network Configuration", "/usr/lib/systemd/systemd-networkd")),
			false: idleUnit("systemd-networkd.service", daemon("Network Configuration", "/usr/lib/systemd/systemd-networkd")),
		}[ubuntu])
	add("udev", "udevadm /usr/lib/systemd/systemd-udevd", unit("systemd-udevd.service", daemon("Rule-based Manager for Device Events and Files", "/usr/lib/systemd/systemd-udevd")))
	add("systemd-timesyncd", "/usr/lib/systemd/systemd-timesyncd", provides("time-daemon"),
		unit("systemd-timesyncd.service", daemon("Network Time Synchronization", "/usr/lib/systemd/systemd-timesyncd")))
	add("init-system-helpers", "deb-systemd-helper deb-systemd-invoke service /usr/sbin/invoke-rc.d /usr/sbin/update-rc.d")
	add("lsb-release", "lsb_release")
	add("python3-minimal", "python3")
	add("perl-base", "perl")
	add("mawk", "awk mawk=awk")
	add("nano", "nano")
	add("vim-tiny", "vi")
	add("tzdata", "")
	add("e2fsprogs", "chattr lsattr=true /usr/sbin/resize2fs=true")
	add("unattended-upgrades", "unattended-upgrade=true /usr/share/unattended-upgrades/unattended-upgrade-shutdown",
		unit("unattended-upgrades.service", daemon("Unattended Upgrades Shutdown", "/usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal")))
	add("iptables", "/usr/sbin/iptables /usr/sbin/ip6tables=iptables /usr/sbin/iptables-save /usr/sbin/iptables-restore")
	if ubuntu {
		add("systemd-resolved", "resolvectl /usr/lib/systemd/systemd-resolved",
			unit("systemd-resolved.service", daemon("Network Name Resolution", "/usr/lib/systemd/systemd-resolved")))
		add("cloud-init", "cloud-init", idleUnit("cloud-init.service", "[Unit]\nDescription=Cloud-init\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/true\n"))
		add("netplan.io", "/usr/sbin/netplan=true")
		add("bc", "bc")
	}
	return s
}

// baseVersion gives packages whose version nobody looks at one that looks like one.
func baseVersion(name string) string {
	known := map[string]string{"curl": "8.5.0-2ubuntu10.6", "openssl": "3.0.13-0ubuntu3.6", "systemd": "255.4-1ubuntu8.11", "bash": "5.2.21-2ubuntu4", "iptables": "1.8.10-3ubuntu2"}
	if v, ok := known[name]; ok {
		return v
	}
	return fmt.Sprintf("%d.%d-1", len(name)%3+1, len(name))
}

// InstalledAtFirst are the packages that a box comes with. Debian's has no iptables.
func InstalledAtFirst(d image.Distribution) []*Package {
	var list []*Package
	for _, p := range base(d) {
		if p.Name == "iptables" && d.ID == "debian" {
			continue
		}
		list = append(list, p)
	}
	return list
}
