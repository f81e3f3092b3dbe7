#!/bin/bash
# alertmanager.sh: Alertmanager, which takes Prometheus's alerts, shows them, and sends them on if the lab says where to.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_SOURCE (upstream or distro), PODIUM_ALERTMANAGER_VERSION,
#         PODIUM_ALERTMANAGER_PORT; the file /var/lib/podium/files/alertmanager.yml; optional: PODIUM_MIRROR_GITHUB
#         (instead of https://github.com), the proxy's
# Gives:  alertmanager_url, alertmanager_version
# Alone:  sudo PODIUM_NODE=ops PODIUM_ADDRESS=192.168.56.14 PODIUM_SOURCE=distro PODIUM_ALERTMANAGER_VERSION=0.34.2 \
#           PODIUM_ALERTMANAGER_PORT=9093 bash alertmanager.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/prometheus.sh"

data=/var/lib/prometheus-alertmanager
# It is alone, so it has no peers to talk to.
options="--config.file=/etc/prometheus/alertmanager.yml --storage.path=$data --cluster.listen-address="
options+=" --web.listen-address=:$PODIUM_ALERTMANAGER_PORT --web.external-url=http://$PODIUM_ADDRESS:$PODIUM_ALERTMANAGER_PORT/"

install_release() {
  prometheus_release alertmanager "$PODIUM_ALERTMANAGER_VERSION" alertmanager amtool
  write_config 0644 /etc/systemd/system/prometheus-alertmanager.service <<'END'
[Unit]
Description=Alertmanager for Prometheus
After=network-online.target
Wants=network-online.target

[Service]
User=prometheus
EnvironmentFile=/etc/default/prometheus-alertmanager
ExecStart=/usr/local/bin/alertmanager $ARGS
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
END
}

# All files are there before the distribution's package starts the service for the first time.
prometheus_account
[[ -d $data ]] || install -d -m 0750 -o prometheus -g prometheus "$data"
write_config 0644 /etc/default/prometheus-alertmanager <<END
ARGS="$options"
END
write_config 0644 /etc/prometheus/alertmanager.yml <"$keep/files/alertmanager.yml"
if [[ $PODIUM_SOURCE == distro ]]; then
  apt_install_service prometheus-alertmanager
  version=$(package_version prometheus-alertmanager)
else
  install_release
  version=$PODIUM_ALERTMANAGER_VERSION
fi
amtool check-config /etc/prometheus/alertmanager.yml ||
  die "Alertmanager does not take /etc/prometheus/alertmanager.yml" "podium wrote it: please report this"
run_service prometheus-alertmanager.service

fact alertmanager_url "http://$PODIUM_ADDRESS:$PODIUM_ALERTMANAGER_PORT"
fact alertmanager_version "$version"
