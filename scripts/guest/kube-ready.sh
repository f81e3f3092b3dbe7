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

# A node takes pods as soon as its runtime has been told of the pod network, a moment before that network runs. A pod that
# comes in between fails, and is tried again only after ten seconds and more. CoreDNS, which waits for the first node,
# often does: new pods take the place of those.
dns() { kubectl --namespace kube-system get "$@"; }
dns_runs() {
  local available failed phase pod
  available=$(dns deployment coredns --output 'jsonpath={.status.availableReplicas}')
  ((${available:-0} == 0)) || return 0
  failed=$(dns events --output 'jsonpath={range .items[*]}{.reason} {.involvedObject.name}{"\n"}{end}')
  while read -r phase pod; do
    if [[ $phase == Pending && $failed == *"FailedCreatePodSandBox $pod"* ]]; then
      kubectl --namespace kube-system delete pod "$pod" --wait=false
    fi
  done <<<"$(dns pods --selector k8s-app=kube-dns --output 'jsonpath={range .items[*]}{.status.phase} {.metadata.name}{"\n"}{end}')"
  return 1
}
for ((try = 0; try < 30; try++)); do # then the probe goes on, and says what is missing
  ! dns_runs || break
  sleep 0.5
done
