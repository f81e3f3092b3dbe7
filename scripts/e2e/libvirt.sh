#!/usr/bin/env bash
# libvirt.sh: a lab of real machines from end to end: `provider: libvirt`, Debian's unmodified vagrant and
# vagrant-libvirt, and QEMU without hardware virtualisation. It needs root on Debian or Ubuntu, 2 GB of memory, 5 GB of
# disk; four minutes, and two more for the box the first time. The host's own libvirt, if any, is neither used nor seen.
#
# usage: libvirt.sh          up, exec, status, halt, up, reset, destroy; nothing may be left
#        libvirt.sh box      build the box only
#
# PODIUM_E2E_CACHE, PODIUM_E2E_APT as in nodes.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}/libvirt-box
mirror=${PODIUM_E2E_APT:-http://deb.debian.org/debian}
packages=(vagrant vagrant-libvirt libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils
  dnsmasq-base iptables mmdebstrap e2fsprogs)
# What libvirt has of its own on a computer. In here each is another folder.
libvirt_folders=(/etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /run/libvirt)

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'libvirt.sh: %s\n' "$*" >&2
  exit 1
}

# programs installs what is missing. Without libvirt-daemon-system nothing of libvirt is started on this computer.
programs() {
  local package missing=()
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  apt-get -qq -o DPkg::Lock::Timeout=300 update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# box makes a Vagrant box: Debian 12 on one file system without a boot loader. Its kernel lies beside it, and QEMU
# starts that directly: there is neither a loop device nor a partition to make, and no BIOS to wait for.
# shellcheck disable=SC2016 # $1 of a hook is the new root
box() {
  mkdir -p "$cache"
  exec 7>"$cache/lock"
  flock 7
  local recipe root=$cache/root
  recipe=$(declare -f box box_vagrantfile | sha256sum)
  if [[ -f $cache/recipe && $(cat "$cache/recipe") == "$recipe" ]]; then
    exec 7>&-
    return
  fi
  say "building the box"
  rm -rf --one-file-system "$cache/recipe" "$root" "$cache"/*.{box,img,raw}
  # The package lists stay, read and sorted: an emulated machine takes a minute for that. The first hook keeps the initrd to what this machine has; unpacking more takes seconds in emulation.
  mmdebstrap --quiet --variant=minbase --mode=root --format=directory \
    --aptopt='Acquire::Retries "4"' --aptopt='Acquire::Languages "none"' --skip=cleanup/apt/lists,cleanup/apt/cache --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/man/*' \
    --essential-hook='mkdir -p "$1"/etc/initramfs-tools/conf.d "$1"/usr/share/initramfs-tools/modules.d' \
    --essential-hook='printf "MODULES=list\nCOMPRESS=gzip\n" >"$1"/etc/initramfs-tools/conf.d/box' \
    --essential-hook='printf "%s\n" virtio_pci virtio_blk ext4 crc32c_generic crc32c_intel >"$1"/usr/share/initramfs-tools/modules.d/box' \
    --include=linux-image-cloud-amd64,systemd-sysv,systemd-resolved,systemd-timesyncd,udev,dbus,libpam-systemd,openssh-server,sudo,curl,ca-certificates,iproute2,iputils-ping,procps,kmod,less \
    --customize-hook='chroot "$1" useradd -m -s /bin/bash vagrant' \
    --customize-hook='echo "vagrant ALL=(ALL) NOPASSWD: ALL" >"$1"/etc/sudoers.d/vagrant' \
    --customize-hook='printf "/dev/vda / ext4 noatime 0 0\n" >"$1"/etc/fstab' \
    --customize-hook='printf "[Match]\nName=eth0\n[Network]\nDHCP=ipv4\n" >"$1"/etc/systemd/network/eth0.network' \
    --customize-hook='echo evdev >"$1"/etc/modules-load.d/evdev.conf' \
    --customize-hook='systemctl --root="$1" --quiet enable systemd-networkd systemd-resolved' \
    --customize-hook='systemctl --root="$1" --quiet mask systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap fstrim.timer getty@tty1 serial-getty@ttyS0' \
    --customize-hook='rm -f "$1"/var/cache/apt/archives/*.deb; chroot "$1" apt-cache gencaches >/dev/null' \
    --customize-hook='ln -sf /run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf' \
    --customize-hook='printf "127.0.0.1\tlocalhost\n" >"$1"/etc/hosts; echo box >"$1"/etc/hostname; : >"$1"/etc/machine-id' \
    bookworm "$root" "deb $mirror bookworm main" "deb $mirror bookworm-updates main" "deb $mirror-security bookworm-security main"
  install -d -m 700 -o 1000 -g 1000 "$root/home/vagrant/.ssh"
  install -m 600 -o 1000 -g 1000 "$(gem_dir)/keys/vagrant.pub" "$root/home/vagrant/.ssh/authorized_keys"
  cp "$root"/boot/vmlinuz-* "$cache/vmlinuz.img"
  cp "$root"/boot/initrd.img-* "$cache/initrd.img"
  mke2fs -q -t ext4 -d "$root" "$cache/box.raw" 4G
  rm -rf --one-file-system "$root"
  qemu-img convert -O qcow2 "$cache/box.raw" "$cache/box.img"
  rm "$cache/box.raw"
  echo '{"provider": "libvirt", "format": "qcow2", "virtual_size": 4}' >"$cache/metadata.json"
  box_vagrantfile >"$cache/Vagrantfile"
  tar -C "$cache" -cf "$cache/debian.box" metadata.json Vagrantfile box.img vmlinuz.img initrd.img
  rm "$cache"/*.img "$cache/metadata.json" "$cache/Vagrantfile"
  echo "$recipe" >"$cache/recipe"
  exec 7>&-
}

# box_vagrantfile says what the box's machines are: emulated, without a screen, and with disks that need not outlive a
# crash of this computer.
box_vagrantfile() {
  cat <<'RUBY'
Vagrant.configure("2") do |config|
  config.vm.provider "libvirt" do |lv|
    lv.driver = "qemu"
    lv.cpu_mode = "custom"
    lv.cpu_model = "Nehalem"
    lv.kernel = File.expand_path("../vmlinuz.img", __FILE__)
    lv.initrd = File.expand_path("../initrd.img", __FILE__)
    lv.cmd_line = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off"
    lv.disk_driver cache: "unsafe"
    lv.graphics_type = "none"
    lv.random model: "random"
  end
end
RUBY
}

gem_dir() { ruby -e 'puts Gem::Specification.find_by_name("vagrant").gem_dir'; }

# account DATABASE NAME LINE: an account, or a group, that exists in this mount namespace only.
account() {
  ! getent "$1" "$2" >/dev/null || return 0
  { cat "/etc/$1" && echo "$3"; } >"$work/$1.$2"
  mount --bind "$work/$1.$2" "/etc/$1"
}

# daemons starts a libvirt that has this mount and network namespace to itself; it ends with the latter.
daemons() {
  local folder
  mount -t sysfs sysfs /sys # its cards are those of the network namespace
  for folder in "${libvirt_folders[@]}"; do
    mkdir -p "$work/libvirt$folder"
    mount --bind "$work/libvirt$folder" "$folder"
  done
  printf '%s\n' 'security_driver = "none"' 'cgroup_controllers = []' 'namespaces = []' 'user = "root"' 'group = "root"' \
    'remember_owner = 0' >/etc/libvirt/qemu.conf
  printf '%s\n' 'auth_unix_rw = "none"' 'auth_unix_ro = "none"' \
    'log_outputs = "3:file:/var/log/libvirt/libvirtd.log"' >/etc/libvirt/libvirtd.conf
  # libvirt asks for those that libvirt-daemon-system makes, although nothing runs as them here.
  account passwd libvirt-qemu libvirt-qemu:x:64055:65534::/:/usr/sbin/nologin
  account group kvm kvm:x:64054:
  account group libvirt-qemu libvirt-qemu:x:64055:
  virtlogd -d -p /run/libvirt/virtlogd.pid
  libvirtd -d -p /run/libvirt/libvirtd.pid
  local try
  for ((try = 0; try < 100; try++)); do
    virsh -q -c qemu:///system list >/dev/null 2>&1 && return
    sleep 0.1
  done
  cat /var/log/libvirt/libvirtd.log >&2
  die "libvirtd does not answer: its log is above"
}

lab() {
  mkdir -p "$work/lab"
  cat >"$work/lab/lab.yaml" <<'YAML'
name: lv
provider: libvirt
box: podium/debian
network: 192.168.57.0/24
source: distro
nodes:
  - {name: n, count: 2, roles: [], cpus: 1, memory: 512MiB}
steps:
  - {name: containerd, script: containerd.sh}
YAML
  cat >"$work/lab/containerd.sh" <<'SCRIPT'
set -euo pipefail
apt-get -q update
apt-get -q -y install --no-install-recommends containerd
systemctl is-active containerd
ctr version
SCRIPT
  cd "$work/lab"
}

# agrees STATE: vagrant must find both machines in that state.
agrees() {
  local found
  found=$(cd .podium/vagrant && vagrant status --machine-readable | sed -n 's/^[0-9]*,\([^,]*\),state,\(.*\)$/\1 \2/p' | sort | tr '\n' ' ')
  [[ $found == "n1 $1 n2 $1 " ]] || die "vagrant sees: $found, want both $1"
  say "vagrant agrees: both $1"
}

# shows STATE: podium must find both machines in that state.
shows() {
  local found
  found=$(podium status -o json | tr -d ' \n' | grep -o "\"machine\":\"$1\"" | wc -l)
  [[ $found == 2 ]] || die "podium status: $found machines are $1, want 2: $(podium status 2>&1)"
}

# nothing_left: what may stay is what other labs use, too: the box, its disk in the pool, and Vagrant's own network.
nothing_left() {
  local found
  found=$(virsh -q -c qemu:///system list --all --name | xargs)
  [[ -z $found ]] || die "machines are left: $found"
  found=$(virsh -q -c qemu:///system net-list --all --name | grep -vx vagrant-libvirt | xargs) || true
  [[ -z $found ]] || die "networks are left: $found"
  found=$(virsh -q -c qemu:///system vol-list default | grep -v '_vagrant_box_image_' | xargs) || true
  [[ -z $found ]] || die "disks are left: $found"
  # In two steps, so that the search does not find itself.
  found=$(ip netns pids "${PODIUM_E2E_NETNS##*/}" | xargs -r ps -o args= -p || true)
  found=$(grep -e qemu-system -e '[ /]vagrant' <<<"$found" || true)
  [[ -z $found ]] || die "processes are left: $found"
  [[ ! -e .podium/vagrant ]] || die "the Vagrantfile is left"
}

life() {
  lab
  podium doctor || true
  say "up"
  podium up
  shows running && agrees running
  say "exec"
  [[ $(podium exec -- hostname | sort | tr -s '\n ' '  ') == *n1*n2* ]] || die "exec: $(podium exec -- hostname)"
  podium exec -- systemctl is-active containerd || die "containerd does not run"
  podium exec --on n1 -- ping -c 1 -W 5 192.168.57.11 >/dev/null || die "n1 does not reach n2 over the private network"
  podium exec -- sh -c '! grep -q "insecure" ~/.ssh/authorized_keys' || die "the key that everyone has still opens a node"
  podium exec -- sudo touch /root/changed
  say "halt"
  podium halt
  shows stopped && agrees shutoff
  say "up again"
  podium up
  shows running && agrees running
  podium exec -- sudo test -e /root/changed || die "a halt has lost what was on the disks"
  say "reset"
  podium reset --yes
  shows running && agrees running
  podium exec -- sudo test ! -e /root/changed || die "reset kept what came after the first good state"
  podium exec -- systemctl is-active containerd || die "reset has lost containerd"
  say "destroy, first the one that has made the network, then all"
  podium destroy --node n1 --yes
  podium destroy --yes
  nothing_left
  say "done: the whole life of a lab of real machines, and vagrant agreed at each point"
}

if [[ -z ${PODIUM_E2E_INSIDE:-} ]]; then
  [[ $EUID == 0 ]] || die "needs root: it makes namespaces and mounts"
  case ${1:-life} in life | box) ;; *) die "usage: libvirt.sh [box]" ;; esac
  programs
  box
  [[ ${1:-life} == life ]] || exit 0
  work=$(mktemp -d)
  trap 'rm -rf --one-file-system "$work"' EXIT
  say "building podium"
  go build -o "$work/bin/podium" ./cmd/podium
  mkdir -p "${libvirt_folders[@]}" # to mount on
  export PODIUM_E2E_INSIDE=$work PODIUM_E2E_ID=${PODIUM_E2E_ID:-libvirt-$$}
  scripts/e2e/nodes.sh bare unshare --mount --propagation private scripts/e2e/libvirt.sh "$@"
  exit
fi

work=$PODIUM_E2E_INSIDE
export PATH=$work/bin:$PATH VAGRANT_HOME=$work/vagrant.d VAGRANT_CHECKPOINT_DISABLE=1 VAGRANT_DEFAULT_PROVIDER=libvirt
daemons
say "adding the box to Vagrant"
vagrant box add --name podium/debian "$cache/debian.box" >/dev/null
life
