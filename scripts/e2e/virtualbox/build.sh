#!/usr/bin/env bash
# build.sh: what real VirtualBox machines need where VirtualBox's kernel module cannot be loaded, into the cache:
#
#   root/          VirtualBox with its window program (Debian sid), and a screen without a monitor
#   vmlinuz-*      a kernel of what such a machine has: VirtualBox's interpreter takes minutes to get through Debian's
#   guest/         the files of a small Debian 12
#   small-*.raw    a disk of both, with the small init of guest/
#   small-*.box    the Vagrant box of that disk
#
# usage: build.sh root       VirtualBox alone
#        build.sh box        everything for small machines; prints the box's path
#
# Needs root on Debian 12 or 13. PODIUM_E2E_CACHE, PODIUM_E2E_APT as in ../nodes.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}/virtualbox
mirror=${PODIUM_E2E_APT:-http://deb.debian.org/debian}

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

# packages NAME... installs what is missing.
packages() {
  local package missing=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  apt-get -qq -o DPkg::Lock::Timeout=600 update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# debian FOLDER SUITE OPTION...: a Debian in a folder, all of it or nothing. Documents and translations stay out.
debian() {
  local folder=$1 suite=$2
  shift 2
  rm -rf --one-file-system "$folder.part"
  mmdebstrap --quiet --mode=root --format=directory --aptopt='Acquire::Retries "4"' --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$@" "$suite" "$folder.part" "$mirror"
  mv "$folder.part" "$folder"
}

# build_root unpacks VirtualBox and configures nothing: that takes half of the time, and nothing of it needs a daemon or
# the kernel module.
# shellcheck disable=SC2016 # $1 of a hook is the new root
build_root() {
  [[ ! -d $cache/root ]] || return 0
  say "unpacking VirtualBox"
  debian "$cache/root" sid --variant=extract --components=main,contrib --include='?essential' --include=virtualbox,virtualbox-qt,xvfb \
    --customize-hook='mkdir -p "$1/dev" "$1/proc" "$1/sys" "$1/root" "$1/mnt"' \
    --customize-hook='echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"; echo root:x:0: >"$1/etc/group"'
}

build_guest() {
  [[ ! -d $cache/guest ]] || return 0
  say "making the guest's files"
  debian "$cache/guest" bookworm --variant=minbase \
    --include=openssh-server,sudo,iproute2,procps,ca-certificates,curl,hostname,iputils-ping,systemd-sysv,udev,dbus,systemd-timesyncd,kmod
}

# build_kernel compiles it: six minutes of one processor.
build_kernel() {
  local source build=$cache/kernel
  source=$(find /usr/src -maxdepth 1 -name 'linux-source-*.tar.xz' | sort -V | tail -n 1)
  kernel=$cache/vmlinuz-$(cat "$here/kernel.config" <(basename "$source") | digest)
  [[ ! -e $kernel ]] || return 0
  say "compiling a kernel"
  rm -rf "$build" "$cache"/vmlinuz-*
  mkdir -p "$build/source" "$build/object"
  tar -C "$build/source" --strip-components=1 -xf "$source"
  {
    make -s -C "$build/source" O="$build/object" tinyconfig
    (cd "$build/object" && "$build/source/scripts/kconfig/merge_config.sh" -m -O . .config "$here/kernel.config" && make -s olddefconfig)
    nice -n 5 make -s -C "$build/object" -j"$(nproc)" bzImage
  } >"$cache/kernel.log" 2>&1 || die "the kernel cannot be compiled: $(tail -n 5 "$cache/kernel.log")"
  mv "$build/object/arch/x86/boot/bzImage" "$kernel"
  rm -rf "$build"
}

digest() { sha256sum | cut -c 1-16; }

# build_box makes the disk and the box, and sets raw and box to their paths.
build_box() {
  local sum work
  sum=$(cat "$kernel" "$here/disk.sh" "$here/box.sh" "$here"/guest/* | digest)
  raw=$cache/small-$sum.raw box=$cache/small-$sum.box
  [[ ! -e $box ]] || return 0
  say "making the box"
  rm -f "$cache"/small-*
  "$here/disk.sh" "$cache/guest" "$kernel" "$raw.part"
  mv "$raw.part" "$raw"
  work=$cache/boxing
  rm -rf --one-file-system "$work"
  mkdir -p "$work"
  ln "$raw" "$work/disk.raw"
  "$here/inside.sh" "$work" "$here/box.sh" "$work/disk.raw" "$work/out.box" >"$cache/box.log" 2>&1 || die "no box: $(tail -n 5 "$cache/box.log")"
  mv "$work/out.box" "$box"
  rm -rf --one-file-system "$work"
}

everything() {
  # The kernel takes one processor, what is downloaded the other one.
  packages mmdebstrap gcc make flex bison bc lz4 xz-utils libelf-dev libc6-dev linux-source syslinux syslinux-common mtools dosfstools \
    fdisk e2fsprogs iproute2 vagrant busybox-static
  (build_kernel) &
  local compiling=$!
  build_root
  build_guest
  wait "$compiling"
  build_kernel # sets its path
  build_box
}

[[ $EUID == 0 ]] || die "needs root: it makes Debian folders"
[[ ! -d $cache/usr ]] || rm -rf --one-file-system "$cache" # an older way to keep VirtualBox here
mkdir -p "$cache"
exec 7>"$cache/lock"
flock 7
case ${1:-} in
  root)
    packages mmdebstrap
    build_root
    ;;
  box)
    everything
    echo "$box"
    ;;
  *) die "usage: build.sh root|box" ;;
esac
