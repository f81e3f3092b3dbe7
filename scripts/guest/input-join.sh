#!/bin/bash
# input-join.sh: runs on the first control plane just before a node joins: makes a token for that node, good for half an
# hour, so that none that is old or lies about is ever used.
#
# Takes:  PODIUM_JOINING (the node that will join), PODIUM_JOIN_ROLE (worker, or control-plane: its certificates too)
# Gives:  PODIUM_JOIN_TOKEN, PODIUM_JOIN_CA_HASH; for a control plane PODIUM_JOIN_CERTIFICATE_KEY, good for two hours
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

api_ready() { kubectl get --raw /readyz >/dev/null 2>&1; }
wait_until 120 api_ready || retry_later "the API server does not answer, so $PODIUM_JOINING cannot join" "see on the control plane: sudo crictl ps -a"

token=$(kubeadm token create --ttl 30m --description "podium: $PODIUM_JOINING joins")
# The controller manager signs the cluster's public description with each new token. A node that joins earlier than that
# does not believe it, and waits five seconds before it asks again.
signed() {
  [[ -n $(kubectl --namespace kube-public get configmap cluster-info --output "jsonpath={.data.jws-kubeconfig-${token%%.*}}") ]]
}
wait_until 60 signed || retry_later "the controller manager does not sign tokens, so $PODIUM_JOINING cannot join" "see on the control plane: kubectl --namespace kube-system get pods"
hash=$(openssl x509 -in /etc/kubernetes/pki/ca.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1)
fact PODIUM_JOIN_TOKEN "$token"
fact PODIUM_JOIN_CA_HASH "sha256:$hash"
if [[ $PODIUM_JOIN_ROLE == control-plane ]]; then
  fact PODIUM_JOIN_CERTIFICATE_KEY "$(kubeadm init phase upload-certs --upload-certs --config "$keep/kubeadm.yaml" | tail -n 1)"
fi
