#!/bin/bash
# input-drain.sh: runs on the first control plane just before a worker is upgraded: moves its pods to other nodes.
#
# Takes:  PODIUM_DRAIN (the worker), PODIUM_KUBERNETES_VERSION (what it is upgraded to)
# Gives:  nothing
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/api.sh"
. "$(dirname "$0")/lib/drain.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

wait_until 120 api_ready || retry_later "the API server does not answer, so $PODIUM_DRAIN cannot be upgraded" "see on the control plane: sudo crictl ps -a"

version=$(through_restart kubectl get node "$PODIUM_DRAIN" --output 'jsonpath={.status.nodeInfo.kubeletVersion}') ||
  retry_later "the API server does not say which version $PODIUM_DRAIN has" "see on the control plane: kubectl get nodes"

# One whose upgrade was cut off after that keeps the pods that have come back.
[[ $version. == "v$PODIUM_KUBERNETES_VERSION."* ]] || drain "$PODIUM_DRAIN"
