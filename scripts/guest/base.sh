#!/bin/bash
# base.sh: makes a fresh box ready for work: package system settled, swap off for good, time kept.
#
# Takes:  PODIUM_NODE
# Gives:  os
# Alone:  sudo PODIUM_NODE=w1 bash base.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/apt.sh"

if command -v cloud-init >/dev/null; then
  say "waiting for cloud-init"
  timeout 300 cloud-init status --wait >/dev/null || say "cloud-init did not end well; going on"
fi
systemctl stop apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service 2>/dev/null || true
dpkg --configure -a

if [[ -n $(swapon --show --noheadings) ]]; then
  swapoff -a || say "swap could not be turned off"
fi
sed -i '/\sswap\s/s/^[^#]/#&/' /etc/fstab

apt_update
apt_install ca-certificates curl gnupg

. /etc/os-release
fact os "$PRETTY_NAME"
