#!/bin/bash
# probe-kube-ready.sh: is every node Ready, at its private address, and does the cluster's DNS run? Checks once.
#
# Takes:  PODIUM_KUBE_NODES (lines "name address"), PODIUM_NODE; optional: PODIUM_WAITED (seconds since the first check)
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/expired.sh"
. "$(dirname "$0")/lib/api.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

# not_ready NODE STATUS: ends the check. A kubelet that does not report for so long, on a node that is up, does not run.
not_ready() {
  local reports
  reports=$(kubectl get node "$1" --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
  [[ $reports == Unknown ]] || die "$1 is $2" "see there: journalctl -u kubelet"
  ((${PODIUM_WAITED:-0} < 120)) || hopeless "$1 is $2: its kubelet does not report" "start it again: podium repair; or see there: journalctl -u kubelet"
  die "$1 is $2: its kubelet does not report" "see there: journalctl -u kubelet; podium repair starts it again"
}

hopeless_when_expired "the certificate of the API server" /etc/kubernetes/pki/apiserver.crt
table=$(kubectl get nodes --output wide --no-headers)
declare -A own=() # the pods of each node as its kubelet has them
while read -r name address; do
  line=$(grep -E "^$name +" <<<"$table") || die "$name is not in the cluster"
  read -r _ status _ _ _ internal _ <<<"$line"
  [[ $status == Ready || $status == Ready,* ]] || not_ready "$name" "$status"
  [[ $internal == "$address" ]] || die "$name has the InternalIP $internal instead of $address" "see there: /etc/default/kubelet"
  # For 40 seconds after the machines have started, the API goes on saying what was true before.
  own[$name]=$(kubelet_pods "$name") || die "the kubelet of $name does not answer" "see there: journalctl -u kubelet"
done <<<"$PODIUM_KUBE_NODES"

# Pods are asked: what a deployment says of itself is old until the controllers of a cluster that has just started look at it.
while read -r node pod ready hash; do
  [[ -n ${own[$node]+known} ]] || continue # the pods of a node that has left go later
  if [[ $ready != True ]] || ! static_pod_ready "$hash" "${own[$node]}"; then
    die "$pod is not Ready yet" "see: kubectl --namespace kube-system describe pod $pod"
  fi
done <<<"$(static_pods_known)"
dns=$(kubectl --namespace kube-system get pods --selector k8s-app=kube-dns --output \
  'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}')
[[ $dns == *True* ]] || die "CoreDNS does not run yet" "see: kubectl --namespace kube-system describe pods"
