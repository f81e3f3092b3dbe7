#!/bin/bash
# kube-ready.sh: names the workers' role; its probe waits until every node is Ready at its private address.
#
# Takes:  PODIUM_KUBE_NODES (lines "name address"), PODIUM_KUBE_WORKERS (names)
# Gives:  nothing
# Alone:  sudo PODIUM_KUBE_NODES='w1 192.168.56.11' PODIUM_KUBE_WORKERS=w1 bash kube-ready.sh
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

for node in $PODIUM_KUBE_WORKERS; do
  kubectl label node "$node" node-role.kubernetes.io/worker= --overwrite
done
