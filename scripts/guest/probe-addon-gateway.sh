#!/bin/bash
# probe-addon-gateway.sh: has a controller of the Gateway API accepted its class of Gateways? Checks once.
#
# Takes:  PODIUM_GATEWAY_CLASS
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

accepted=$(kubectl get gatewayclasses.gateway.networking.k8s.io "$PODIUM_GATEWAY_CLASS" --output 'jsonpath={.status.conditions[?(@.type=="Accepted")].status}')
[[ $accepted == True ]] ||
  die "the GatewayClass $PODIUM_GATEWAY_CLASS is not accepted: ${accepted:-nobody has looked at it yet}" "see on the control plane: kubectl describe gatewayclass $PODIUM_GATEWAY_CLASS"
