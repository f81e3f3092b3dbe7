#!/bin/bash
# probe-addon-gateway.sh: has NGINX Gateway Fabric accepted its class of Gateways? Checks once.
#
# Takes:  nothing
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

accepted=$(kubectl get gatewayclasses.gateway.networking.k8s.io nginx --output 'jsonpath={.status.conditions[?(@.type=="Accepted")].status}')
[[ $accepted == True ]] ||
  die "the GatewayClass nginx is not accepted: ${accepted:-nobody has looked at it yet}" "see on the control plane: kubectl describe gatewayclass nginx"
