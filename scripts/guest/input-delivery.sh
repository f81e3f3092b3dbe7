#!/bin/bash
# input-delivery.sh: runs on the first control plane: gives the token by which Jenkins delivers, and the cluster's authority.
#
# Takes:  PODIUM_DELIVERY_NAMESPACE; delivery-account.sh has made the account
# Gives:  PODIUM_DELIVERY_TOKEN, PODIUM_CLUSTER_CA (base64)
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

# The controller manager fills the token in.
token() { kubectl --namespace "$PODIUM_DELIVERY_NAMESPACE" get secret jenkins-token --output 'jsonpath={.data.token}'; }
has_token() { [[ -n $(token) ]]; }
wait_until 60 has_token ||
  retry_later "the cluster makes no token for Jenkins" "see on the control plane: kubectl --namespace $PODIUM_DELIVERY_NAMESPACE get secrets"
fact PODIUM_DELIVERY_TOKEN "$(token | base64 --decode)"
fact PODIUM_CLUSTER_CA "$(base64 --wrap 0 /etc/kubernetes/pki/ca.crt)"
