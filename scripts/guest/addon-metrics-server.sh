#!/bin/bash
# addon-metrics-server.sh: what kubectl top and autoscalers ask: how much processor and memory nodes and pods use.
#
# Takes:  PODIUM_METRICS_SERVER_VERSION; optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  metrics_server_version
# Alone:  sudo PODIUM_METRICS_SERVER_VERSION=0.9.0 bash addon-metrics-server.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

original=$keep/metrics-server.original.yaml
manifest=$keep/metrics-server.yaml
release_file kubernetes-sigs/metrics-server "v$PODIUM_METRICS_SERVER_VERSION" components.yaml "$original"

# kubeadm's kubelets show certificates that they have signed themselves:
# https://github.com/kubernetes-sigs/metrics-server/blob/master/FAQ.md
sed -E 's#^( *)- --metric-resolution=.*$#&\n\1- --kubelet-insecure-tls#' "$original" | write_file 0644 "$manifest"
grep -q -F -e '- --kubelet-insecure-tls' "$manifest" ||
  die "the manifest of metrics-server $PODIUM_METRICS_SERVER_VERSION is not what podium expects: --kubelet-insecure-tls cannot be set in it" "see $original on the control plane"
kubectl apply --filename "$manifest"
rolled_out kube-system deployment/metrics-server
fact metrics_server_version "$PODIUM_METRICS_SERVER_VERSION"
