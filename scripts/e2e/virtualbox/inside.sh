#!/usr/bin/env bash
# inside.sh WORK COMMAND...: runs COMMAND where VBoxManage (bin/ beside this script) starts real machines: in namespaces of
# its own for mounts, processes and network, which end with it. There VirtualBox's folder has WORK at the same path as
# this computer, a screen without a monitor runs, and vboxnet0 has 192.168.56.1.
#
# PODIUM_VBOX_ROOT  VirtualBox's folder, as build.sh makes it
# PODIUM_VBOX_NET   program of network/, to be found on PATH otherwise
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${PODIUM_VBOX_ROOT:-${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}/virtualbox/root}
work=$(realpath "$1")
if [[ -z ${PODIUM_VBOX_INSIDE:-} ]]; then
  mkdir -p "$work/bin" "$work/home" "$work/machines" "$root$work"
  trap 'rmdir "$root$work" 2>/dev/null || true' EXIT
  [[ -n ${PODIUM_VBOX_NET:-} ]] || (cd "$here/../../.." && go build -o "$work/bin/network" ./scripts/e2e/virtualbox/network)
  export PODIUM_VBOX_INSIDE=1 PODIUM_VBOX_ROOT=$root PODIUM_VBOX_NET=${PODIUM_VBOX_NET:-$work/bin/network}
  unshare --mount --pid --net --ipc --fork --kill-child --mount-proc --propagation private "$0" "$@"
  exit
fi
shift
ip link set lo up
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/root"
mkdir -p "$root$work"
mount --bind "$work" "$root$work"
mount --bind "$here/bin/VBoxHeadless" "$root/usr/lib/virtualbox/VBoxHeadless"
export PODIUM_VBOX_WORK=$work PATH=$here/bin:$PATH
chroot "$root" /usr/bin/Xvfb :1 -screen 0 720x480x16 -nolisten tcp </dev/null >"$work/screen.log" 2>&1 &
"$PODIUM_VBOX_NET" "$work/ports" vboxnet0 192.168.56.1/24 </dev/null >"$work/network.log" 2>&1 &
for _ in $(seq 100); do
  [[ -S $root/tmp/.X11-unix/X1 ]] && break
  sleep 0.1
done
VBoxManage setextradata global VBoxInternal/HM/FallbackToIEM 1 # interpret where the module is not there
VBoxManage setextradata global GUI/SuppressMessages all
VBoxManage setproperty machinefolder "$work/machines"
"$@"
