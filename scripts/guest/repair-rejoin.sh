#!/bin/bash
# repair-rejoin.sh: a worker whose kubelet the cluster does not know any more gets a new certificate by a new token, as
# kubeadm join does it: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
# (read 2026-11-21). Its pods, its name and its address stay.
#
# Takes:  PODIUM_NODE, PODIUM_API_ENDPOINT (HOST:PORT); made on the control plane by input-join.sh: PODIUM_JOIN_TOKEN,
#         PODIUM_JOIN_CA_HASH
# Gives:  kubelet_credentials (good)
# Alone:  sudo PODIUM_NODE=w1 PODIUM_API_ENDPOINT=kube-api:6443 PODIUM_JOIN_TOKEN=... \
#           PODIUM_JOIN_CA_HASH=sha256:... bash repair-rejoin.sh
. "$(dirname "$0")/lib/step.sh"

kube=/etc/kubernetes

# Where the API is: by the old kubeconfig, or as the node joined.
server=
[[ ! -f $kube/kubelet.conf ]] || server=$(sed -n 's/^ *server: *//p' $kube/kubelet.conf)
[[ -n $server ]] || server=https://$PODIUM_API_ENDPOINT
hash=$(openssl x509 -in $kube/pki/ca.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1)
[[ sha256:$hash == "$PODIUM_JOIN_CA_HASH" ]] ||
  die "$PODIUM_NODE trusts another cluster's authority than the one that there is" "recreate the node: podium destroy --node $PODIUM_NODE, then podium up"

write_file 0600 $kube/bootstrap-kubelet.conf <<END
apiVersion: v1
kind: Config
clusters:
  - name: kubernetes
    cluster: {server: "$server", certificate-authority: $kube/pki/ca.crt}
contexts:
  - name: bootstrap
    context: {cluster: kubernetes, user: bootstrap}
current-context: bootstrap
users:
  - name: bootstrap
    user: {token: "$PODIUM_JOIN_TOKEN"}
END
rm -f $kube/kubelet.conf /var/lib/kubelet/pki/kubelet-client-*
systemctl restart kubelet.service

known() { kubectl --kubeconfig $kube/kubelet.conf get node "$PODIUM_NODE" >/dev/null 2>&1; }
wait_until 120 known || retry_later "the cluster does not give $PODIUM_NODE a new certificate" "see there: journalctl -u kubelet"
rm -f $kube/bootstrap-kubelet.conf # it holds the token
fact kubelet_credentials good
