#!/bin/bash
# leave-reset.sh: undoes kubeadm's init or join on a node that leaves its cluster for good. A control plane leaves etcd
# by that.
#
# Takes:  PODIUM_LEAVES (this node), PODIUM_CRI_SOCKET (unix:///run/containerd/containerd.sock)
# Gives:  nothing
# Alone:  sudo PODIUM_LEAVES=w2 PODIUM_CRI_SOCKET=unix:///run/containerd/containerd.sock bash leave-reset.sh
. "$(dirname "$0")/lib/step.sh"

[[ -e /etc/kubernetes/kubelet.conf ]] || exit 0
# Whatever it cannot do, the others do without this node.
kubeadm reset --force --cri-socket "$PODIUM_CRI_SOCKET" || say "kubeadm reset has not ended well on $PODIUM_LEAVES: going on"
rm -f "$keep/kube-member" "$keep/kube-attempt"
