#!/bin/bash
# kubeadm-join.sh: joins a worker to the cluster.
#
# Takes:  PODIUM_NODE, PODIUM_API (host:port); from the control plane: PODIUM_JOIN_TOKEN, PODIUM_JOIN_CA_HASH
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_API=kube-api:6443 PODIUM_JOIN_TOKEN=... PODIUM_JOIN_CA_HASH=... bash kubeadm-join.sh
. "$(dirname "$0")/lib/step.sh"

if [[ -f /etc/kubernetes/kubelet.conf ]]; then
  say "$PODIUM_NODE has joined already"
  exit 0
fi
kubeadm join "$PODIUM_API" --node-name "$PODIUM_NODE" --token "$PODIUM_JOIN_TOKEN" --discovery-token-ca-cert-hash "$PODIUM_JOIN_CA_HASH"
