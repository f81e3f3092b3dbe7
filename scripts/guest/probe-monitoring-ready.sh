#!/bin/bash
# probe-monitoring-ready.sh: does Prometheus have every node as a target that is up? Checks once.
#
# Takes:  PODIUM_TARGETS (names by spaces), PODIUM_PROMETHEUS_PORT
. "$(dirname "$0")/lib/step.sh"

up=$(promtool query instant "http://127.0.0.1:$PODIUM_PROMETHEUS_PORT" 'up{job="node"} == 1')
for node in $PODIUM_TARGETS; do
  grep -q "node=\"$node\"" <<<"$up" ||
    die "Prometheus does not reach $node" "see there: systemctl status prometheus-node-exporter; does a firewall shut port 9100?"
done
