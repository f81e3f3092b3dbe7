#!/usr/bin/env bash
# All alike, and all wrong.
set -euo pipefail
sysctl -w "net.ipv4.tcp_fin_timeout=$TIMEOUT"
echo "lab settings 2" >/etc/lab/release
