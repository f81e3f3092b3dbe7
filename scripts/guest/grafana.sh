#!/bin/bash
# grafana.sh: Grafana with the lab's Prometheus and Alertmanager as data sources, and dashboards: of all nodes, its home
# page, and of the cluster and of Jenkins where they are.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_GRAFANA_PORT, PODIUM_GRAFANA_BOARDS (names, by spaces); the files
#         grafana-datasource.yaml, grafana-dashboards.yaml and, of each dashboard, grafana-NAME.json in
#         /var/lib/podium/files; optional: PODIUM_MIRROR_GRAFANA (instead of https://apt.grafana.com),
#         PODIUM_KEY_GRAFANA (its key's fingerprint), the proxy's
# Gives:  grafana_url, grafana_user, grafana_version, secret_grafana_password
# Alone:  sudo PODIUM_NODE=ops PODIUM_ADDRESS=192.168.56.14 PODIUM_GRAFANA_PORT=3000 \
#           PODIUM_GRAFANA_BOARDS=nodes bash grafana.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/proxy.sh"
. "$(dirname "$0")/lib/secret.sh"

files=$keep/files
url=${PODIUM_MIRROR_GRAFANA:-https://apt.grafana.com}
apt_key "${url%/}/gpg-full.key" /etc/apt/keyrings/podium-grafana.asc "${PODIUM_KEY_GRAFANA:-}"
apt_source podium-grafana <<END
Types: deb
URIs: ${url%/}
Suites: stable
Components: main
Signed-By: /etc/apt/keyrings/podium-grafana.asc
END
apt_install grafana openssl

password=$(secret grafana)
# Grafana reads its settings from the environment too; the password counts only when its database is first made.
write_config 0600 /etc/grafana/podium.env <<END
GF_SERVER_HTTP_PORT=$PODIUM_GRAFANA_PORT
GF_SERVER_ROOT_URL=http://$PODIUM_ADDRESS:$PODIUM_GRAFANA_PORT/
GF_SECURITY_ADMIN_PASSWORD=$password
GF_ANALYTICS_REPORTING_ENABLED=false
GF_ANALYTICS_CHECK_FOR_UPDATES=false
GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=/var/lib/grafana/podium/nodes.json
END
write_config 0644 /etc/systemd/system/grafana-server.service.d/podium.conf <<'END'
[Service]
EnvironmentFile=/etc/grafana/podium.env
END
write_config 0644 /etc/grafana/provisioning/datasources/podium.yaml <"$files/grafana-datasource.yaml"
write_config 0644 /etc/grafana/provisioning/dashboards/podium.yaml <"$files/grafana-dashboards.yaml"
for board in $PODIUM_GRAFANA_BOARDS; do
  write_config 0644 "/var/lib/grafana/podium/$board.json" <"$files/grafana-$board.json"
done
service_proxy grafana-server
run_service grafana-server.service

fact grafana_url "http://$PODIUM_ADDRESS:$PODIUM_GRAFANA_PORT"
fact grafana_user admin
fact grafana_version "$(dpkg-query --show --showformat '${Version}' grafana)"
fact secret_grafana_password "$password"
