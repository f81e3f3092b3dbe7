#!/bin/bash
# cni-flannel.sh: the pod network: flannel, on the private card.
#
# Takes:  PODIUM_NETWORK, PODIUM_ADDRESS, PODIUM_POD_SUBNET, PODIUM_FLANNEL_VERSION, PODIUM_MIRROR_GITHUB
# Gives:  flannel_version
# Alone:  sudo PODIUM_ADDRESS=192.168.56.10 PODIUM_POD_SUBNET=10.244.0.0/16 PODIUM_FLANNEL_VERSION=0.28.9 bash cni-flannel.sh
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

manifest=/var/lib/podium/files/kube-flannel.yml
curl -fsSL --retry 3 -o "$manifest" "${PODIUM_MIRROR_GITHUB:-https://github.com}/flannel-io/flannel/releases/download/v$PODIUM_FLANNEL_VERSION/kube-flannel.yml"
sed -i "s#10.244.0.0/16#$PODIUM_POD_SUBNET#; s#^\( *\)- --kube-subnet-mgr\$#&\n\1- --iface-can-reach=$PODIUM_ADDRESS#" "$manifest"
kubectl apply -f "$manifest"
fact flannel_version "$PODIUM_FLANNEL_VERSION"
