#!/bin/bash
# probe-cni-flannel.sh: does flannel run on this node? Checks once.
#
# Takes:  PODIUM_NODE
. "$(dirname "$0")/lib/step.sh"

# flanneld writes it once it has a range for the node's pods and a way to the others; the CNI plugin reads it.
[[ -s /run/flannel/subnet.env ]] ||
  die "flannel does not run on $PODIUM_NODE yet" "see there: kubectl --namespace kube-flannel get pods -o wide; kubectl --namespace kube-flannel logs daemonset/kube-flannel-ds"
