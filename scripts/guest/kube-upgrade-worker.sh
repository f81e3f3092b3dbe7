#!/bin/bash
# kube-upgrade-worker.sh: brings a worker to the version of the kubeadm that is there. Its pods have been moved away by
# input-drain.sh on the control plane; they may come back at the end.
#
# Takes:  PODIUM_NODE, PODIUM_KUBERNETES_VERSION (1.36, or exact: 1.36.2); optional: the proxy's
# Gives:  upgraded_version
# Alone:  on the control plane: kubectl drain w1 --ignore-daemonsets --delete-emptydir-data
#         sudo PODIUM_NODE=w1 PODIUM_KUBERNETES_VERSION=1.36 bash kube-upgrade-worker.sh
#         on the control plane: kubectl uncordon w1
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/kubeadm.sh"
. "$(dirname "$0")/lib/api.sh"
. "$(dirname "$0")/lib/drain.sh"
. "$(dirname "$0")/lib/upgrade.sh"
# A kubelet may say of its own node that pods can come back.
export KUBECONFIG=/etc/kubernetes/kubelet.conf

upgrade_by_kubeadm node
if ! node_is_upgraded; then
  upgrade_kubelet
  await_node
fi
uncordon "$PODIUM_NODE"
fact upgraded_version "$(member_version)"
