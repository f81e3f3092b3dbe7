#!/bin/bash
# node-exporter.sh: the exporter that tells Prometheus of the node's CPU, memory, disks and network, on port 9100.
#
# Takes:  PODIUM_NODE, PODIUM_SOURCE (upstream or distro), PODIUM_NODE_EXPORTER_VERSION; optional: PODIUM_MIRROR_GITHUB
#         (instead of https://github.com), the proxy's
# Gives:  node_exporter_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_SOURCE=distro PODIUM_NODE_EXPORTER_VERSION=1.12.1 bash node-exporter.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/prometheus.sh"

if [[ $PODIUM_SOURCE == distro ]]; then
  apt_install_service prometheus-node-exporter
  run_service prometheus-node-exporter.service
  fact node_exporter_version "$(package_version prometheus-node-exporter)"
  exit
fi

prometheus_release node_exporter "$PODIUM_NODE_EXPORTER_VERSION" node_exporter
write_config 0644 /etc/systemd/system/prometheus-node-exporter.service <<'END'
[Unit]
Description=Prometheus exporter for machine metrics
After=network-online.target
Wants=network-online.target

[Service]
DynamicUser=yes
ProtectHome=read-only
ExecStart=/usr/local/bin/node_exporter
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
END
run_service prometheus-node-exporter.service
fact node_exporter_version "$PODIUM_NODE_EXPORTER_VERSION"
