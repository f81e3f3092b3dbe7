#!/bin/bash
# probe-addon-helm.sh: does Helm reach the cluster? Checks once.
#
# Takes:  nothing
. "$(dirname "$0")/lib/step.sh"

said=$(helm --kubeconfig /etc/kubernetes/admin.conf list --all-namespaces 2>&1) ||
  die "helm list says: ${said##*$'\n'}" "see on the control plane: sudo helm --kubeconfig /etc/kubernetes/admin.conf list -A"
