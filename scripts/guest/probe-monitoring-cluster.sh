#!/bin/bash
# probe-monitoring-cluster.sh: do all of monitoring's pods run, and do Alertmanager and Grafana answer at their node
# ports? Checks once.
#
# Takes:  PODIUM_ADDRESS, PODIUM_ALERTMANAGER_PORT, PODIUM_GRAFANA_PORT (empty: no Grafana)
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

ask() { curl --fail --silent --show-error --noproxy '*' --max-time 10 --output /dev/null "http://$PODIUM_ADDRESS:$1"; }

pods=$(kubectl --namespace monitoring get pods --no-headers)
if bad=$(grep -v ' Running ' <<<"$pods"); then
  die "not all pods of monitoring run: $bad" "see on the control plane: kubectl --namespace monitoring describe pods"
fi
ask "$PODIUM_ALERTMANAGER_PORT/-/ready"
[[ -z $PODIUM_GRAFANA_PORT ]] || ask "$PODIUM_GRAFANA_PORT/api/health"
