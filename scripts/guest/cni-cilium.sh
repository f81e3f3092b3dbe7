#!/bin/bash
# cni-cilium.sh: the pod network: Cilium, by VXLAN between the nodes' own addresses, beside kube-proxy. Helm renders its
# chart, kubectl applies what comes out: so a second run changes nothing.
#
# Takes:  PODIUM_NODE, PODIUM_CILIUM_VERSION, PODIUM_HELM_VERSION; the file /var/lib/podium/files/cilium.yaml; optional:
#         PODIUM_MIRROR_GITHUB (instead of https://github.com), PODIUM_MIRROR_HELM, the proxy's
# Gives:  cilium_version
# Alone:  sudo PODIUM_NODE=cp PODIUM_CILIUM_VERSION=1.20.2 PODIUM_HELM_VERSION=4.3.1 bash cni-cilium.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"
. "$(dirname "$0")/lib/helm.sh"
. "$(dirname "$0")/lib/cni.sh"

own_cni cilium
install_helm
chart=$keep/cilium-$PODIUM_CILIUM_VERSION.tgz
manifest=$keep/cilium.yaml
# https://helm.cilium.io is made of this repository.
repository_file cilium/charts master "cilium-$PODIUM_CILIUM_VERSION.tgz" "$chart"
helm template cilium "$chart" --namespace kube-system --values /var/lib/podium/files/cilium.yaml \
  --kube-version "$(kubeadm version --output short)" >"$keep/run/cilium.yaml" ||
  die "Helm cannot render the chart of Cilium $PODIUM_CILIUM_VERSION" "see the lines above; the chart is $chart on the control plane"
write_file 0644 "$manifest" <"$keep/run/cilium.yaml"
rm -f "$keep/run/cilium.yaml"
kubectl apply --filename "$manifest"
fact cilium_version "$PODIUM_CILIUM_VERSION"
