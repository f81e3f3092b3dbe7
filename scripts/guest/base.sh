#!/bin/bash
# base.sh: makes a fresh box ready for work: its card in the lab's network found, other package work ended, package
# sources, proxy, resolvers and clock set, certificates and curl there.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_NETWORK; optional: PODIUM_DNS (resolvers, by spaces), PODIUM_HTTP_PROXY,
#         PODIUM_HTTPS_PROXY, PODIUM_NO_PROXY, PODIUM_MIRROR_APT, PODIUM_MIRROR_APT_SECURITY, PODIUM_USER (who podium
#         logs in as)
# Gives:  os
# Alone:  sudo PODIUM_NODE=w1 PODIUM_ADDRESS=192.168.56.11 PODIUM_NETWORK=192.168.56.0/24 bash base.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/sources.sh"
. "$(dirname "$0")/lib/resolver.sh"

# The private card is known by its address alone: whether it is the first or the second, and what the kernel calls it,
# differs from box to box.
find_card() {
  [[ -z $(ip -o -4 address show to "$PODIUM_ADDRESS") ]] || return 0
  local there
  there=$(ip -o -4 address show to "$PODIUM_NETWORK")
  if [[ -n $there ]]; then
    die "$PODIUM_NODE has another address in $PODIUM_NETWORK than $PODIUM_ADDRESS:" "$there" "give that one as the node's address in lab.yaml"
  fi
  die "$PODIUM_NODE has no card in the lab's network $PODIUM_NETWORK; its addresses are:" "$(ip -o -4 address show)" "correct network: in lab.yaml, or the machine's cards"
}

# Whatever else installs packages on a fresh machine ends first, or is kept from starting.
end_other_package_work() {
  local unit
  if command -v cloud-init >/dev/null && [[ ! -e /var/lib/cloud/instance/boot-finished ]]; then
    say "waiting for cloud-init"
    timeout 600 cloud-init status --wait >/dev/null || say "cloud-init has not ended well (cloud-init status --long); going on"
  fi
  for unit in apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service; do
    if systemctl is-enabled --quiet "$unit" 2>/dev/null; then
      say "keeping $unit from starting"
      systemctl disable --quiet --now "$unit"
    fi
  done
  # Only reads lists, and holds their lock while it does.
  if systemctl is-active --quiet apt-daily.service; then
    systemctl stop apt-daily.service
  fi
}

configure_apt() {
  write_file 0644 /etc/apt/apt.conf.d/90podium <<'END'
// By podium: weak lines and busy machines.
Acquire::Retries "4";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Acquire::Languages "none";
DPkg::Lock::Timeout "300";
Dpkg::Options { "--force-confdef"; "--force-confold"; };
Dpkg::Use-Pty "0";
END
}

# write_proxy PATH <TEXT: a file that names the proxy. Where that holds a password, the file is for root and the account
# that podium logs in as: it may become root anyway, and its shells and apt need the proxy. Others go without.
write_proxy() {
  local path=$1 mode=0644 owner=root text
  text=$(cat)
  if [[ $text == *://*@* ]]; then
    mode=0600 owner=${PODIUM_USER:-root}
  fi
  write_file "$mode" "$path" <<<"$text"
  chmod "$mode" "$path" # an older podium may have written it
  chown "$owner" "$path"
}

# apt_direct: what apt reaches without the proxy. It knows names and addresses, and neither domains nor networks.
apt_direct() {
  local host hosts
  IFS=, read -r -a hosts <<<"${PODIUM_NO_PROXY:-}"
  for host in "${hosts[@]}"; do
    if [[ $host =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ ]]; then
      printf 'Acquire::%s::Proxy::%s "DIRECT";\n' http "$host" https "$host"
    fi
  done
}

# Services get the proxy from the step that installs them.
configure_proxy() {
  local apt=/etc/apt/apt.conf.d/91podium-proxy shells=/etc/profile.d/podium-proxy.sh
  if [[ -z ${PODIUM_HTTP_PROXY:-} ]]; then
    rm -f "$apt" "$shells"
    return
  fi
  local https=${PODIUM_HTTPS_PROXY:-$PODIUM_HTTP_PROXY} direct=${PODIUM_NO_PROXY:-localhost}
  write_proxy "$apt" <<END
Acquire::http::Proxy "$PODIUM_HTTP_PROXY";
Acquire::https::Proxy "$https";
$(apt_direct)
END
  write_proxy "$shells" <<END
export http_proxy='$PODIUM_HTTP_PROXY' HTTP_PROXY='$PODIUM_HTTP_PROXY'
export https_proxy='$https' HTTPS_PROXY='$https'
export no_proxy='$direct' NO_PROXY='$direct'
END
}

# A laptop's sleep and a snapshot leave the clock behind; certificates and package lists then seem to be of the future.
keep_time() {
  local unit
  if in_container; then
    return # the host's clock
  fi
  for unit in chrony.service ntpsec.service ntp.service; do
    if systemctl is-active --quiet "$unit"; then
      return
    fi
  done
  has_unit systemd-timesyncd.service || apt_install systemd-timesyncd
  write_config 0644 /etc/systemd/timesyncd.conf.d/podium.conf <<'END'
[Time]
PollIntervalMaxSec=256
END
  run_service systemd-timesyncd.service
}

find_card
end_other_package_work
use_mirrors
configure_apt
configure_proxy
check_resolver
apt_settle
apt_install ca-certificates curl
command -v sysctl >/dev/null || apt_install procps # the smallest images lack it
keep_time

# shellcheck source=/dev/null
. /etc/os-release
case $ID-${VERSION_ID:-} in
  ubuntu-24.04 | debian-12 | debian-13) ;;
  *) say "warning: these scripts are made for Ubuntu 24.04 and Debian 12 and 13; this is $PRETTY_NAME" ;;
esac
fact os "$PRETTY_NAME"
