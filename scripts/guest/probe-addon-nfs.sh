#!/bin/bash
# probe-addon-nfs.sh: does a claim without a class get a volume? Makes one and removes it. Checks once.
#
# Takes:  the file /var/lib/podium/files/nfs-probe-claim.yaml (the claim podium-probe in kube-system)
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

trap 'kubectl --namespace kube-system delete pvc podium-probe --ignore-not-found --wait=false >/dev/null 2>&1' EXIT
kubectl apply --filename /var/lib/podium/files/nfs-probe-claim.yaml
kubectl --namespace kube-system wait pvc/podium-probe --for 'jsonpath={.status.phase}=Bound' --timeout 15s ||
  die "a PersistentVolumeClaim gets no volume" "see on the control plane: kubectl --namespace kube-system logs deployment/csi-nfs-controller nfs"
