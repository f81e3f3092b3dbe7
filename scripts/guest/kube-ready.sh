#!/bin/bash
# kube-ready.sh: the cluster's last touches, then its probe waits until every node is Ready at its private address.
#
# Takes:  PODIUM_KUBE_NODES (lines "name address"), PODIUM_KUBE_WORKERS (names by spaces); optional: PODIUM_POD_RANGES
#         (lines "range address node", with cni: bridge)
# Gives:  nothing
# Alone:  sudo PODIUM_KUBE_NODES='w1 192.168.56.11' PODIUM_KUBE_WORKERS=w1 bash kube-ready.sh
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

# shellcheck disable=SC2086 # one argument per worker
registered() { kubectl get node $PODIUM_KUBE_WORKERS >/dev/null 2>&1; }

if [[ -n $PODIUM_KUBE_WORKERS ]]; then
  wait_until 120 registered ||
    retry_later "not all of these are in the cluster: $PODIUM_KUBE_WORKERS" "see: kubectl get nodes; on those that are missing: journalctl -u kubelet"
  # shellcheck disable=SC2086 # one argument per worker
  kubectl label node $PODIUM_KUBE_WORKERS node-role.kubernetes.io/worker= --overwrite
fi

# With cni: bridge nobody else tells the API which pods are where; it can be said only once.
while read -r range _ node; do
  [[ -n $node ]] || continue
  known=$(kubectl get node "$node" --output 'jsonpath={.spec.podCIDR}')
  if [[ -z $known ]]; then
    kubectl patch node "$node" --patch "{\"spec\":{\"podCIDR\":\"$range\",\"podCIDRs\":[\"$range\"]}}"
  fi
done <<<"${PODIUM_POD_RANGES:-}"

# A node takes pods as soon as its runtime has been told of the pod network, a moment before that network runs. Who comes
# in between is tried again after ten seconds and more; CoreDNS, which waits for the first node, always is. New ones
# start at once.
while read -r pod phase node; do
  if [[ $phase == Pending && -n $node ]]; then
    kubectl --namespace kube-system delete pod "$pod" --wait=false
  fi
done <<<"$(kubectl --namespace kube-system get pods --selector k8s-app=kube-dns \
  --output 'jsonpath={range .items[*]}{.metadata.name} {.status.phase} {.spec.nodeName}{"\n"}{end}')"
