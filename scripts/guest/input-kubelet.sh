#!/bin/bash
# input-kubelet.sh: runs on a node of the cluster: gives the certificate by which its kubelet is known. The kubelet has
# made it itself at its first start, and nobody else vouches for it.
#
# Takes:  PODIUM_NODE
# Gives:  PODIUM_KUBELET_CA_NODE (base64; the node's name in capitals, with _ for -)
. "$(dirname "$0")/lib/step.sh"

certificate=/var/lib/kubelet/pki/kubelet.crt
wait_until 60 test -s "$certificate" || retry_later "the kubelet of $PODIUM_NODE has no certificate yet" "see there: journalctl -u kubelet"
name=${PODIUM_NODE//-/_}
fact "PODIUM_KUBELET_CA_${name^^}" "$(base64 --wrap 0 "$certificate")"
