# shellcheck shell=bash
# busybox.sh: Debian's busybox as the image busybox of docker.io: a base for what a lab builds itself.

: "${scratch:?}" "${archive:?}"

pack_busybox() {
  local root=$scratch/busybox tool
  mmdebstrap --quiet --variant=extract --mode=root --include=busybox-static "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$scratch/busybox.tar" "$archive"
  mkdir -p "$root"
  tar -C "$scratch" -xf "$scratch/busybox.tar" --wildcards '*bin/busybox'
  install -D "$(find "$scratch" -path '*bin/busybox' | head -n 1)" "$root/bin/busybox"
  for tool in sh httpd ls cat; do ln -s busybox "$root/bin/$tool"; done
  mkdir -p "$root/tmp"
  image library/busybox 1.37 "$root" /bin/sh
  rm -rf "$root"
}
