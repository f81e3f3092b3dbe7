#!/bin/bash
# probe-grafana.sh: does Grafana answer, and has it its dashboards and its data source? Checks once.
#
# Takes:  PODIUM_GRAFANA_PORT, PODIUM_GRAFANA_BOARDS (names, by spaces)
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/secret.sh"

# ask PATH: the API's answer. The password goes by standard input, where no list of processes shows it.
ask() {
  printf 'user = "admin:%s"\n' "$(secret grafana)" |
    curl --fail --silent --show-error --noproxy '*' --max-time 10 --config - "http://127.0.0.1:$PODIUM_GRAFANA_PORT$1"
}

health=$(ask /api/health)
grep -q -E '"database": *"ok"' <<<"$health" || die "Grafana's database is not there yet"
ask /api/datasources/uid/podium-prometheus >/dev/null || die "Grafana has no data source podium-prometheus" "see: journalctl -u grafana-server"
for board in $PODIUM_GRAFANA_BOARDS; do
  ask "/api/dashboards/uid/podium-$board" >/dev/null || die "Grafana has no dashboard podium-$board" "see: journalctl -u grafana-server"
done
