#!/bin/bash
# input-prometheus.sh: runs on the first control plane: gives the token of the service account by which Prometheus asks
# the cluster for measurements, and the cluster's authority.
#
# Takes:  nothing; cluster-metrics.sh has made the account
# Gives:  PODIUM_PROMETHEUS_TOKEN, PODIUM_CLUSTER_CA (base64)
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

# The controller manager fills the token in.
token() { kubectl --namespace monitoring get secret prometheus-token --output 'jsonpath={.data.token}'; }
has_token() { [[ -n $(token) ]]; }
wait_until 60 has_token ||
  retry_later "the cluster makes no token for Prometheus" "see on the control plane: kubectl --namespace monitoring get secrets,serviceaccounts"
fact PODIUM_PROMETHEUS_TOKEN "$(token | base64 --decode)"
fact PODIUM_CLUSTER_CA "$(base64 --wrap 0 /etc/kubernetes/pki/ca.crt)"
