#!/usr/bin/env bash
set -euo pipefail
sysctl -w net.ipv4.tcp_fin_timeout=60
echo "lab settings 2" >/etc/lab/release
