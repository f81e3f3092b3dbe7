#!/bin/bash
# prometheus.sh: Prometheus, with every node of the lab as a target, and alerts.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_SOURCE (upstream or distro), PODIUM_PROMETHEUS_VERSION,
#         PODIUM_PROMETHEUS_PORT, PODIUM_PROMETHEUS_RETENTION (2d); the files prometheus.yml and podium-rules.yml
#         in /var/lib/podium/files; optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  prometheus_url, prometheus_version
# Alone:  sudo PODIUM_NODE=ops PODIUM_ADDRESS=192.168.56.14 PODIUM_SOURCE=distro PODIUM_PROMETHEUS_VERSION=3.13.5 \
#           PODIUM_PROMETHEUS_PORT=9090 PODIUM_PROMETHEUS_RETENTION=2d bash prometheus.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/prometheus.sh"

options="--storage.tsdb.retention.time=$PODIUM_PROMETHEUS_RETENTION --web.listen-address=:$PODIUM_PROMETHEUS_PORT"
options+=" --web.external-url=http://$PODIUM_ADDRESS:$PODIUM_PROMETHEUS_PORT/"

install_release() {
  prometheus_release prometheus "$PODIUM_PROMETHEUS_VERSION" prometheus promtool
  prometheus_account
  [[ -d /var/lib/prometheus ]] || install -d -m 0750 -o prometheus -g prometheus /var/lib/prometheus
  write_config 0644 /etc/systemd/system/prometheus.service <<'END'
[Unit]
Description=Prometheus
After=network-online.target
Wants=network-online.target

[Service]
User=prometheus
EnvironmentFile=/etc/default/prometheus
ExecStart=/usr/local/bin/prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/var/lib/prometheus $ARGS
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
END
}

# All files are there before the distribution's package starts the service for the first time.
write_config 0644 /etc/default/prometheus <<END
ARGS="$options"
END
write_config 0644 /etc/prometheus/podium-rules.yml <"$keep/files/podium-rules.yml"
configuration=$(prometheus_configuration)
write_config 0644 /etc/prometheus/prometheus.yml <<<"$configuration"
if [[ $PODIUM_SOURCE == distro ]]; then
  apt_install_service prometheus
  version=$(package_version prometheus)
else
  install_release
  version=$PODIUM_PROMETHEUS_VERSION
fi
check_prometheus
run_service prometheus.service

fact prometheus_url "http://$PODIUM_ADDRESS:$PODIUM_PROMETHEUS_PORT"
fact prometheus_version "$version"
