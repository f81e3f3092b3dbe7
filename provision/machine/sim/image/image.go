// Package image makes the disks that simulated nodes start from: what a box of Ubuntu 24.04, Debian 12 or Debian 13
// holds before anybody has touched it.
package image

import (
	"fmt"
	"strings"
	"time"

	"podium/provision/machine/sim/vfs"
)

// Distribution is what a box is made of.
type Distribution struct {
	ID       string // ubuntu or debian
	Version  string // 24.04
	Codename string // noble
	Pretty   string // Ubuntu 24.04.3 LTS
	Kernel   string // release of its kernel
}

// Of finds the distribution that the name of a box or image stands for; Ubuntu 24.04 if it names none.
func Of(box string) Distribution {
	switch {
	case strings.Contains(box, "debian-12"), strings.Contains(box, "debian/12"), strings.Contains(box, "bookworm"):
		return Distribution{"debian", "12", "bookworm", "Debian GNU/Linux 12 (bookworm)", "6.1.0-40-amd64"}
	case strings.Contains(box, "debian-13"), strings.Contains(box, "debian/13"), strings.Contains(box, "trixie"):
		return Distribution{"debian", "13", "trixie", "Debian GNU/Linux 13 (trixie)", "6.12.48+deb13-amd64"}
	}
	return Distribution{"ubuntu", "24.04", "noble", "Ubuntu 24.04.3 LTS", "6.8.0-85-generic"}
}

// Seed puts more on a disk while the image is made: packages, units.
type Seed func(d Distribution, fs *vfs.FS) error

// Build makes the image: the files every machine has, and what the seeds add.
func Build(d Distribution, user string, seeds ...Seed) (*vfs.Image, error) {
	stamp := time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC)
	fs := vfs.New(func() time.Time { return stamp })
	b := builder{fs: fs}
	b.skeleton()
	b.accounts(user)
	b.system(d)
	for _, seed := range seeds {
		if b.err == nil {
			b.err = seed(d, fs)
		}
	}
	if b.err != nil {
		return nil, fmt.Errorf("make the image of %s: %w", d.Pretty, b.err)
	}
	return fs.Flatten(), nil
}

// systemSize is what an installed system takes on disk.
const systemSize = 2300 << 20

type builder struct {
	fs  *vfs.FS
	err error
}

func (b *builder) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) skeleton() {
	root := vfs.Root()
	for _, dir := range strings.Fields("/boot /dev /etc/apt/keyrings /etc/apt/sources.list.d /etc/apt/preferences.d /etc/apt/apt.conf.d /etc/default " +
		"/etc/modules-load.d /etc/sysctl.d /etc/sudoers.d /etc/ssh /etc/profile.d /etc/cron.d /etc/logrotate.d /etc/cloud/cloud.cfg.d " +
		"/etc/systemd/system /etc/systemd/network /etc/netplan /etc/update-motd.d /home /media /mnt /opt /root /srv " +
		"/usr/bin /usr/sbin /usr/lib/systemd/system /usr/lib/modules /usr/local/bin /usr/local/sbin /usr/local/lib /usr/share/keyrings /usr/share/doc " +
		"/usr/lib/x86_64-linux-gnu /usr/libexec /usr/src /var/cache/apt/archives /var/lib/apt/lists /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/systemd /var/lib/cloud/instance " +
		"/var/lib/private /var/log/journal /var/spool /var/tmp /var/mail /var/backups") {
		b.do(b.fs.MkdirAll(root, dir, 0o755))
	}
	for link, to := range map[string]string{
		"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib", "/var/run": "/run", "/var/lock": "/run/lock",
		"/etc/localtime": "/usr/share/zoneinfo/Etc/UTC", "/etc/mtab": "/proc/self/mounts", "/dev/stdin": "/proc/self/fd/0",
		"/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2", "/dev/fd": "/proc/self/fd",
	} {
		b.do(b.fs.Symlink(root, to, link))
	}
	for _, dev := range []string{"null", "zero", "full", "random", "urandom", "tty", "kmsg", "console"} {
		b.do(b.fs.Mknod(vfs.Cred{}, "/dev/"+dev, 0o666))
	}
	b.do(b.fs.MountTmpfs("/run", 0o755))
	b.do(b.fs.MountTmpfs("/dev/shm", 0o777))
	b.do(b.fs.MountVirtual("proc"))
	b.do(b.fs.MountVirtual("sys"))
	b.do(b.fs.Chmod(root, "/root", 0o700))
	b.do(b.fs.MkdirAll(root, "/tmp", 0o755))
	b.do(b.fs.Chmod(root, "/tmp", modeSticky))
	b.do(b.fs.Chmod(root, "/var/tmp", modeSticky))
	b.do(b.fs.Occupy(systemSize))
}

func (b *builder) file(path, text string, mode uint32) {
	b.do(b.fs.WriteFile(vfs.Cred{}, path, text, 0o644))
	b.do(b.fs.Chmod(vfs.Root(), path, fileMode(mode)))
}

func (b *builder) accounts(user string) {
	passwd := `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
systemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin
systemd-timesync:x:996:996:systemd Time Synchronization:/:/usr/sbin/nologin
systemd-resolve:x:991:991:systemd Resolver:/:/usr/sbin/nologin
sshd:x:105:65534::/run/sshd:/usr/sbin/nologin
`
	group := `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:%[1]s
tty:x:5:
disk:x:6:
mail:x:8:
sudo:x:27:%[1]s
www-data:x:33:
shadow:x:42:
plugdev:x:46:%[1]s
staff:x:50:
users:x:100:
nogroup:x:65534:
systemd-journal:x:999:
systemd-network:x:998:
systemd-timesync:x:996:
systemd-resolve:x:991:
`
	shadow := "root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nnobody:*:20000:0:99999:7:::\n"
	if user != "root" {
		passwd += user + ":x:1000:1000:" + user + ":/home/" + user + ":/bin/bash\n"
		group += user + ":x:1000:\n"
		shadow += user + ":!:20000:0:99999:7:::\n"
		b.do(b.fs.MkdirAll(vfs.Cred{}, "/home/"+user, 0o750))
		b.do(b.fs.Chown(vfs.Root(), "/home/"+user, 1000, 1000, true))
		b.file("/etc/sudoers.d/"+user, user+" ALL=(ALL) NOPASSWD: ALL\n", 0o440)
	}
	b.file("/etc/passwd", passwd, 0o644)
	b.file("/etc/group", fmt.Sprintf(group, user), 0o644)
	b.file("/etc/shadow", shadow, 0o640)
	b.file("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440)
	b.file("/root/.bashrc", "", 0o644)
	b.file("/root/.profile", "", 0o644)
}

func (b *builder) system(d Distribution) {
	b.file("/etc/os-release", fmt.Sprintf(`PRETTY_NAME="%s"
NAME="%s"
VERSION_ID="%s"
VERSION="%s"
VERSION_CODENAME=%s
ID=%s
ID_LIKE=debian
HOME_URL="https://github.com/"
PODIUM_SIMULATED=yes
`, d.Pretty, strings.Fields(d.Pretty)[0], d.Version, strings.TrimPrefix(strings.TrimPrefix(d.Pretty, "Ubuntu "), "Debian GNU/Linux "), d.Codename, d.ID), 0o644)
	b.file("/etc/motd", "\n  This is a simulated node of podium. Nothing here is real: the programs are models,\n  the network is made up, and all is gone when the lab is destroyed.\n\n", 0o644)
	b.file("/etc/issue", d.Pretty+" (simulated)\n", 0o644)
	b.file("/etc/hostname", "localhost\n", 0o644)
	b.file("/etc/hosts", "127.0.0.1 localhost\n\n# The following lines are desirable for IPv6 capable hosts\n::1     ip6-localhost ip6-loopback\n"+
		"fe00::0 ip6-localnet\nff00::0 ip6-mcastprefix\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n", 0o644)
	b.file("/etc/fstab", "# /etc/fstab: static file system information.\n/dev/sda1 / ext4 defaults 0 1\n/swap.img\tnone\tswap\tsw\t0\t0\n", 0o644)
	b.file("/swap.img", "", 0o600)
	if f, err := b.fs.Open(vfs.Root(), "/swap.img", writeOnly, 0o600); err == nil {
		b.do(f.Truncate(2 << 30))
		b.do(f.Close())
	}
	b.file("/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n", 0o644)
	b.file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n", 0o644)
	b.file("/etc/timezone", "Etc/UTC\n", 0o644)
	b.file("/etc/default/locale", "LANG=C.UTF-8\n", 0o644)
	b.file("/etc/environment", "PATH=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games:/snap/bin\"\n", 0o644)
	b.file("/etc/profile", "", 0o644)
	b.file("/etc/bash.bashrc", "", 0o644)
	b.file("/etc/shells", "/bin/sh\n/bin/bash\n/usr/bin/bash\n", 0o644)
	b.file("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\nUsePAM yes\nSubsystem sftp /usr/lib/openssh/sftp-server\n", 0o644)
	b.file("/etc/sysctl.conf", "# see sysctl.d\n", 0o644)
	b.file("/etc/modules-load.d/modules.conf", "# /etc/modules: kernel modules to load at boot time.\n", 0o644)
	b.file("/etc/cloud/cloud.cfg", "preserve_hostname: false\n", 0o644)
	b.file("/var/lib/cloud/instance/boot-finished", "simulated\n", 0o644)
	b.file("/boot/release", d.Kernel+"\n", 0o644)
	b.do(b.fs.MkdirAll(vfs.Root(), "/usr/lib/modules/"+d.Kernel, 0o755))
	b.sources(d)
}

func (b *builder) sources(d Distribution) {
	if d.ID == "ubuntu" {
		b.file("/etc/apt/sources.list", "# Ubuntu sources have moved to /etc/apt/sources.list.d/ubuntu.sources\n", 0o644)
		b.file("/etc/apt/sources.list.d/ubuntu.sources", "Types: deb\nURIs: http://archive.ubuntu.com/ubuntu/\nSuites: noble noble-updates noble-backports\n"+
			"Components: main universe restricted multiverse\nSigned-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n\n"+
			"Types: deb\nURIs: http://security.ubuntu.com/ubuntu/\nSuites: noble-security\nComponents: main universe restricted multiverse\n"+
			"Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n", 0o644)
		b.file("/usr/share/keyrings/ubuntu-archive-keyring.gpg", Key("archive.ubuntu.com"), 0o644)
		return
	}
	b.file("/etc/apt/sources.list", fmt.Sprintf("deb http://deb.debian.org/debian %[1]s main contrib non-free-firmware\n"+
		"deb http://deb.debian.org/debian %[1]s-updates main contrib non-free-firmware\n"+
		"deb http://security.debian.org/debian-security %[1]s-security main contrib non-free-firmware\n", d.Codename), 0o644)
	b.do(b.fs.MkdirAll(vfs.Root(), "/etc/apt/trusted.gpg.d", 0o755))
	b.file("/etc/apt/trusted.gpg.d/debian-archive-"+d.Codename+"-stable.asc", Key("deb.debian.org"), 0o644)
}

// Key is the text of the signing key of a package archive, as far as the simulator cares: who it belongs to.
func Key(owner string) string {
	return "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: simulated key of " + owner + "\n\nmDMEsimulated\n-----END PGP PUBLIC KEY BLOCK-----\n"
}
