#!/bin/bash
# kube-images.sh: fetches the images that the node will need, while other nodes are still being prepared.
#
# Takes:  PODIUM_NODE, PODIUM_KUBE_ROLE (control-plane or worker), PODIUM_IMAGES (more images, by spaces),
#         PODIUM_RUNTIME; optional: PODIUM_MIRROR_REGISTRY and PODIUM_MIRROR_REGISTRIES (for docker, which knows mirrors
#         of docker.io only), the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_KUBE_ROLE=worker PODIUM_IMAGES= PODIUM_RUNTIME=containerd \
#           bash kube-images.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/runtime.sh"

version=$(kubeadm version --output short)
images=$(kubeadm config images list --kubernetes-version "$version")
if [[ $PODIUM_KUBE_ROLE == worker ]]; then
  # A worker runs no etcd and no API server.
  images=$(grep -e /kube-proxy: -e /pause: -e /coredns <<<"$images")
fi
for image in $images $PODIUM_IMAGES; do
  pull_image "$image"
done
