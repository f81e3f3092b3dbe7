#!/bin/bash
# probe-addon-metrics-server.sh: does kubectl top know how busy this node is? Checks once.
#
# Takes:  PODIUM_NODE
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

table=$(kubectl top nodes --no-headers 2>&1) ||
  die "kubectl top nodes says: ${table##*$'\n'}" "see on the control plane: kubectl --namespace kube-system logs deployment/metrics-server"
line=$(grep -E "^$PODIUM_NODE +" <<<"$table") || die "kubectl top nodes does not know $PODIUM_NODE yet"
read -r _ cores _ <<<"$line"
[[ $cores =~ ^[0-9]+m?$ ]] || die "kubectl top nodes does not know $PODIUM_NODE yet: $cores"
