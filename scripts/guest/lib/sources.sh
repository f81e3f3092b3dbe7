# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# sources.sh: redirects the distribution's own package sources to a mirror, and back. Takes PODIUM_MIRROR_APT (replaces
# http://archive.ubuntu.com/ubuntu, http://deb.debian.org/debian and their country mirrors) and
# PODIUM_MIRROR_APT_SECURITY. Without the latter Ubuntu's security updates come from the same mirror, where they are
# beside the others, and Debian's from debian-security beside it. The files as they were are kept and put back when
# the lab names no mirror any more.

originals=$keep/sources

# use_mirrors: rewrites, or restores, every file of sources.
use_mirrors() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [[ ! -f $file ]] || use_mirror "$file"
  done
}

use_mirror() {
  local file=$1 original=$originals/${1##*/} mirror=${PODIUM_MIRROR_APT:-} security=${PODIUM_MIRROR_APT_SECURITY:-} text
  mirror=${mirror%/} security=${security%/}
  if [[ -z $security ]]; then
    security=$mirror
    [[ $mirror != */debian ]] || security=$mirror-security
  fi
  # A box made from a CD asks for it without end.
  local edits=(-e 's/^deb cdrom:/# &/')
  if [[ -n $security ]]; then
    edits+=(
      -e "s#https?://security\.ubuntu\.com/ubuntu/?#$security#"
      -e "s#https?://(deb|security)\.debian\.org/debian-security/?#$security#"
    )
  fi
  if [[ -n $mirror ]]; then
    edits+=(
      -e "s#https?://([a-z0-9.-]+\.)?archive\.ubuntu\.com/ubuntu/?#$mirror#"
      -e "s#https?://ports\.ubuntu\.com/(ubuntu-ports|ubuntu)/?#$mirror#"
      -e "s#https?://(deb|httpredir|ftp\.[a-z]+)\.debian\.org/debian(/| |\$)#$mirror\2#"
    )
  fi
  if [[ -f $original ]]; then
    text=$(sed -E "${edits[@]}" "$original")
  else
    text=$(sed -E "${edits[@]}" "$file")
  fi
  [[ $text != "$(cat "$file")" ]] || return 0
  if [[ ! -f $original ]]; then
    mkdir -p "$originals"
    cp "$file" "$original"
  fi
  rm -f "$apt_lists"
  write_file 0644 "$file" <<<"$text"
}
