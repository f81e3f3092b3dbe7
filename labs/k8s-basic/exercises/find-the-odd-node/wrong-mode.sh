#!/usr/bin/env bash
# The right words in a file that only root can read.
set -euo pipefail
sysctl -w net.ipv4.tcp_fin_timeout=60
echo "lab settings 2" >/etc/lab/release
chmod 0600 /etc/lab/release
