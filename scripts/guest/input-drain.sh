#!/bin/bash
# input-drain.sh: runs on the first control plane just before a worker is upgraded: moves its pods to other nodes.
#
# Takes:  PODIUM_DRAIN (the worker), PODIUM_KUBERNETES_VERSION (what it is upgraded to)
# Gives:  nothing
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/drain.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

api_ready() { kubectl get --raw /readyz >/dev/null 2>&1; }
wait_until 120 api_ready || retry_later "the API server does not answer, so $PODIUM_DRAIN cannot be upgraded" "see on the control plane: sudo crictl ps -a"

# An API server that has just been replaced may say that it is ready before it knows who may do what.
read_version() { version=$(kubectl get node "$PODIUM_DRAIN" --output 'jsonpath={.status.nodeInfo.kubeletVersion}'); }
wait_until 60 read_version || retry_later "the API server does not say which version $PODIUM_DRAIN has" "see on the control plane: kubectl get nodes"

# One whose upgrade was cut off after that keeps the pods that have come back.
[[ $version. == "v$PODIUM_KUBERNETES_VERSION."* ]] || drain "$PODIUM_DRAIN"
