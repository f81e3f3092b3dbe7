#!/bin/bash
# by-hand.sh: what containers made by hand need beside the kernel: busybox, one program that is a whole system.
#
# Alone:  sudo bash by-hand.sh
set -euo pipefail

if ! command -v busybox >/dev/null || ! command -v ping >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update || exit 75 # podium tries again, a few times
  apt-get -qq -o DPkg::Lock::Timeout=120 install -y busybox-static iputils-ping >/dev/null
fi

# Ubuntu lets ordinary users make user namespaces, but nothing useful in them: an exercise does that.
setting=kernel/apparmor_restrict_unprivileged_userns
if [[ -e /proc/sys/$setting ]]; then
  echo "$setting = 0" >/etc/sysctl.d/60-containers-by-hand.conf
  echo 0 >/proc/sys/$setting
fi
