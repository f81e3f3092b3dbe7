# shellcheck shell=bash
# apt.sh: apt-get for weak networks and busy machines. Takes PODIUM_MIRROR_* from the scripts that use it.

# apt_get ARGUMENT...: apt-get that waits for other package work, retries downloads and asks nothing.
apt_get() {
  flock /var/lib/podium/lock.apt apt-get -y -q \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@"
}

# apt_update: reads the package lists anew.
apt_update() {
  mkdir -p /var/lib/podium
  apt_get -o APT::Update::Error-Mode=any update ||
    retry_later "apt-get update failed" "is the network up? see 'apt-get update' on $PODIUM_NODE; a mirror is set by mirrors: in lab.yaml"
}

# apt_install PACKAGE...: installs what is missing.
apt_install() {
  local package missing=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "${package%%=*}" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  apt_get install --no-install-recommends "${missing[@]}" && return
  disk_full && die "no space is left on $PODIUM_NODE" "give the node more disk in lab.yaml"
  retry_later "apt-get could not install ${missing[*]}" "see the lines above"
}

# disk_full: whether the root file system has less than 100 MiB left.
disk_full() { (($(df -k --output=avail / | tail -n 1) < 102400)); }
