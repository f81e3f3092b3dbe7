#!/bin/bash
# probe-kubeadm-join.sh: has the kubelet announced the node to the cluster? Checks once.
#
# Takes:  PODIUM_NODE
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/expired.sh"

# The kubelet's own credentials let it ask for its own node.
if kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$PODIUM_NODE" >/dev/null 2>&1; then
  exit
fi
hopeless_when_expired "the certificate of the kubelet" /var/lib/kubelet/pki/kubelet-client-current.pem
reason=$(journalctl --unit kubelet --no-pager --output cat --lines 300 | grep -E '^E[0-9]{4} ' | tail -n 1) || true
die "the kubelet of $PODIUM_NODE has not announced it to the cluster${reason:+: $reason}" "see there: journalctl -u kubelet"
