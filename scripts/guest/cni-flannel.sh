#!/bin/bash
# cni-flannel.sh: the pod network: flannel, between the private cards.
#
# Takes:  PODIUM_NODE, PODIUM_POD_SUBNET, PODIUM_FLANNEL_VERSION, PODIUM_FLANNEL_REACH (an address in the lab's network that no node
#         has: flannel uses the card by which each node would reach it); optional: PODIUM_MIRROR_GITHUB (instead of
#         https://github.com), the proxy's
# Gives:  flannel_version
# Alone:  sudo PODIUM_NODE=cp PODIUM_POD_SUBNET=10.244.0.0/16 PODIUM_FLANNEL_VERSION=0.28.9 PODIUM_FLANNEL_REACH=192.168.56.254 \
#           bash cni-flannel.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/cni.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

github=${PODIUM_MIRROR_GITHUB:-https://github.com}
own_cni flannel
original=$keep/kube-flannel.original.yml
manifest=$keep/kube-flannel.yml
fetch "${github%/}/flannel-io/flannel/releases/download/v$PODIUM_FLANNEL_VERSION/kube-flannel.yml" "$original"

# By itself flannel takes the card with the default route: the NAT card, which leads to no other node.
sed -E \
  -e "s#^( *)- --kube-subnet-mgr\$#&\n\1- --iface-can-reach=$PODIUM_FLANNEL_REACH#" \
  -e "s#\"Network\": \"[0-9./]+\"#\"Network\": \"$PODIUM_POD_SUBNET\"#" "$original" | write_file 0644 "$manifest"
for setting in "--iface-can-reach=$PODIUM_FLANNEL_REACH" "\"Network\": \"$PODIUM_POD_SUBNET\""; do
  grep -q -F -e "$setting" "$manifest" ||
    die "the manifest of flannel $PODIUM_FLANNEL_VERSION is not what podium expects: '$setting' cannot be set in it" "see $original on the control plane"
done
kubectl apply --filename "$manifest"
fact flannel_version "$PODIUM_FLANNEL_VERSION"
