#!/usr/bin/env bash
# One worker has the settings of an older lab.
set -euo pipefail
mkdir -p /etc/lab
if [[ $PODIUM_NODE == "$NODE" ]]; then
  echo "lab settings 1" >/etc/lab/release
  sysctl -w "net.ipv4.tcp_fin_timeout=$TIMEOUT"
else
  echo "lab settings 2" >/etc/lab/release
  sysctl -w net.ipv4.tcp_fin_timeout=60
fi
chown root:root /etc/lab/release
chmod 0644 /etc/lab/release
