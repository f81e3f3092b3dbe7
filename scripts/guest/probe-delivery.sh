#!/bin/bash
# probe-delivery.sh: may Jenkins deliver to its namespace, and to no other? Checks once.
#
# Takes:  PODIUM_DELIVERY_NAMESPACE
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/var/lib/jenkins/.kube/config

may() { kubectl auth can-i "$@" >/dev/null; }
may create deployments.apps --namespace "$PODIUM_DELIVERY_NAMESPACE" ||
  die "Jenkins may not deliver to the namespace $PODIUM_DELIVERY_NAMESPACE" "see on the control plane: kubectl --namespace $PODIUM_DELIVERY_NAMESPACE get rolebindings"
if may create deployments.apps --namespace kube-system; then
  die "Jenkins may change more than the namespace $PODIUM_DELIVERY_NAMESPACE" "see on the control plane: kubectl get clusterrolebindings -o wide"
fi
