#!/bin/bash
# probe-kube-ready.sh: is every node Ready, at its private address? Checks once.
#
# Takes:  PODIUM_KUBE_NODES (lines "name address")
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

while read -r name address; do
  ready=$(kubectl get node "$name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') || exit 1
  [[ $ready == True ]] || die "node $name is not Ready yet"
  internal=$(kubectl get node "$name" -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}')
  [[ $internal == "$address" ]] || die "node $name has the InternalIP $internal, not $address"
done <<<"$PODIUM_KUBE_NODES"
