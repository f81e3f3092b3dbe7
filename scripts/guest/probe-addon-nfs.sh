#!/bin/bash
# probe-addon-nfs.sh: does a claim without a class get a volume? Makes one and removes it. Checks once.
#
# Takes:  the file /var/lib/podium/files/nfs-probe-claim.yaml
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf
claim=/var/lib/podium/files/nfs-probe-claim.yaml

trap 'kubectl delete --filename "$claim" --ignore-not-found --wait=false >/dev/null 2>&1' EXIT
kubectl apply --filename "$claim"
kubectl wait --filename "$claim" --for 'jsonpath={.status.phase}=Bound' --timeout 40s ||
  die "a PersistentVolumeClaim gets no volume" "see on the control plane: kubectl --namespace kube-system logs deployment/csi-nfs-controller nfs"
