#!/usr/bin/env bash
# vboxmanage-disks.sh: `disk:` and `disks:` of a lab by unmodified vagrant and the real VBoxManage. Without VirtualBox's
# kernel module everything works but the start of a machine: so up must fail there, and there only, and the disks must be
# as large as lab.yaml wants them. The real VBoxManage is that of virtualbox/build.sh.
#
# usage: vboxmanage-disks.sh      as root on Debian or Ubuntu
set -euo pipefail
cd "$(dirname "$0")/../.."

die() {
  printf 'vboxmanage-disks.sh: %s\n' "$*" >&2
  exit 1
}
[[ $EUID == 0 ]] || die "needs root: it mounts and changes its root"
root=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}/virtualbox/root

# Mounts and processes, VBoxSVC too, end with these namespaces.
if [[ -z ${PODIUM_E2E_INSIDE:-} ]]; then
  work=$(mktemp -d /var/tmp/podium-disks.XXXXXX)
  trap 'rm -rf --one-file-system "$work"; rmdir "$root$work" 2>/dev/null || true' EXIT
  scripts/e2e/virtualbox/build.sh root
  mkdir -p "$work/bin" "$root$work"
  go build -o "$work/bin/podium" ./cmd/podium
  PODIUM_E2E_INSIDE=$work unshare --mount --pid --fork --kill-child --mount-proc --propagation private "$0"
  exit
fi

work=$PODIUM_E2E_INSIDE
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" || true
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/root"
mount --bind "$work" "$root$work" # the same paths inside and outside

cat >"$work/bin/real" <<SH
#!/bin/bash
exec chroot "$root" /usr/bin/env HOME="$work/home" VBOX_USER_HOME="$work/home/.config" PATH=/usr/lib/virtualbox:/usr/bin:/bin LANG=C VBoxManage "\$@"
SH
# What Debian's vagrant 2.3.4 does not know, and what only the kernel module could say.
cat >"$work/bin/VBoxManage" <<'SH'
#!/bin/bash
case $* in
  --version) echo 7.0.20r163906 ;;
  'list hostonlyifs') printf '%s\n' 'Name:            vboxnet0' 'IPAddress:       192.168.56.1' 'NetworkMask:     255.255.255.0' 'Status:          Up' '' ;;
  *) exec "${0%/*}/real" "$@" ;;
esac
SH
chmod +x "$work"/bin/*
export PATH=$work/bin:$PATH VAGRANT_HOME=$work/vagrant.d VAGRANT_CHECKPOINT_DISABLE=1 HOME=$work/home
mkdir -p "$work"/{home,machines,box,lab}
cd "$work"

# A box with a disk of 64 MB, as `vagrant package` makes one.
real setproperty machinefolder "$work/machines"
{
  real createvm --name box --ostype Debian_64 --register
  real storagectl box --name "SATA Controller" --add sata --portcount 4
  real createmedium disk --filename "$work/disk.vdi" --size 64
  real storageattach box --storagectl "SATA Controller" --port 0 --device 0 --type hdd --medium "$work/disk.vdi"
  real export box --output "$work/box/box.ovf"
  real unregistervm box --delete
} >"$work/making.log" 2>&1 || die "no box: $(cat "$work/making.log")"
echo '{"provider": "virtualbox"}' >box/metadata.json
tar -C box -czf debian.box .
vagrant box add --name podium/debian debian.box >/dev/null

cat >lab/lab.yaml <<'YAML'
name: disks
provider: virtualbox
box: podium/debian
network: 192.168.56.0/24
nodes:
  - {name: large, roles: [], cpus: 1, memory: 512MiB, disk: 20GiB, disks: [1GiB, 2GiB]}
  - {name: extra, roles: [], cpus: 1, memory: 512MiB, disks: [3GiB]}
YAML

code=0
podium up lab --boot-parallel 1 --skip-preflight virtualisation-off --skip-preflight kernel-module --skip-preflight kvm \
  --skip-preflight disk >up.log 2>&1 || code=$?
[[ $code == 1 ]] || die "up ended with $code, not 1: $(cat up.log)"
for node in large extra; do
  grep -q "$node/boot .*FAILED.*'disks-$node' has terminated unexpectedly during startup" up.log || die "$node did not fail at its start: $(cat up.log)"
done

# sizes NODE: the capacities of its disks in MB, by port.
sizes() {
  real showvminfo "disks-$1" --machinereadable | sed -n 's/^"SATA Controller-ImageUUID-[0-9]*-0"="\(.*\)"$/\1/p' | while read -r id; do
    real showmediuminfo disk "$id" | sed -n 's/^Capacity: *\([0-9]*\) MBytes$/\1/p'
  done | tr '\n' ' '
}
different=0
# is NODE SIZES
is() {
  local found
  found=$(sizes "$1")
  echo "$1 has disks of $found MB"
  [[ $found == "$2 " ]] || { echo "  want $2 MB" && different=$((different + 1)); }
}
is large "20480 1024 2048"
is extra "64 3072"
podium destroy lab --yes
left=$(real list vms | grep -v '^"box_' || true)
[[ -z $left ]] || die "machines are left: $left"
((different == 0)) || die "$different machines have other disks than lab.yaml says; the last lines of up: $(tail -n 20 up.log)"
