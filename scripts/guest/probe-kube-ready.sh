#!/bin/bash
# probe-kube-ready.sh: is every node Ready, at its private address, and does the cluster's DNS run? Checks once.
#
# Takes:  PODIUM_KUBE_NODES (lines "name address"), PODIUM_NODE
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/expired.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

hopeless_when_expired "the certificate of the API server" /etc/kubernetes/pki/apiserver.crt
table=$(kubectl get nodes --output wide --no-headers)
while read -r name address; do
  line=$(grep -E "^$name +" <<<"$table") || die "$name is not in the cluster"
  read -r _ status _ _ _ internal _ <<<"$line"
  [[ $status == Ready || $status == Ready,* ]] || die "$name is $status" "see there: journalctl -u kubelet"
  [[ $internal == "$address" ]] || die "$name has the InternalIP $internal instead of $address" "see there: /etc/default/kubelet"
done <<<"$PODIUM_KUBE_NODES"

# system_pods LABEL: lines "node pod ready". Pods are asked: what a deployment says of itself is old until the controllers of
# a cluster that has just started look at it.
system_pods() {
  kubectl --namespace kube-system get pods --selector "$1" --output \
    'jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}'
}
while read -r node pod ready; do
  [[ $ready == True ]] || ! grep -q -E "^$node( |\$)" <<<"$PODIUM_KUBE_NODES" || # those of a node that has left go later
    die "$pod is not Ready yet" "see: kubectl --namespace kube-system describe pod $pod"
done <<<"$(system_pods tier=control-plane)"
[[ $(system_pods k8s-app=kube-dns) == *' True'* ]] || die "CoreDNS does not run yet" "see: kubectl --namespace kube-system describe pods"
