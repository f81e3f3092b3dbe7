#!/bin/bash
# kube-images.sh: fetches the images that the node will need, while other nodes are still being prepared.
#
# Takes:  PODIUM_NODE, PODIUM_KUBE_ROLE (control-plane or worker), PODIUM_IMAGES (more images, by spaces),
#         PODIUM_RUNTIME, PODIUM_KUBERNETES_VERSION (1.36 or 1.36.2: that of the kubeadm that is there); optional:
#         PODIUM_MIRROR_REGISTRY and PODIUM_MIRROR_REGISTRIES (for docker, which knows mirrors of docker.io only), PODIUM_ETCD
#         (external: no node of the cluster runs it), the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_KUBE_ROLE=worker PODIUM_IMAGES= PODIUM_RUNTIME=containerd PODIUM_KUBERNETES_VERSION=1.36 \
#           bash kube-images.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/runtime.sh"

version=$(kubeadm version --output short)
[[ $version. == "v$PODIUM_KUBERNETES_VERSION."* ]] ||
  die "kubeadm of $PODIUM_NODE is $version, not $PODIUM_KUBERNETES_VERSION" "run podium up --force $PODIUM_NODE/kube-packages"
images=$(kubeadm config images list --kubernetes-version "$version")
if [[ $PODIUM_KUBE_ROLE == worker ]]; then
  # A worker runs no etcd and no API server.
  images=$(grep -e /kube-proxy: -e /pause: -e /coredns <<<"$images")
elif [[ ${PODIUM_ETCD:-stacked} == external ]]; then
  images=$(grep -v -e /etcd: <<<"$images")
fi

# pull_all IMAGE...: three at once: while one is unpacked another one is on its way.
pull_all() {
  local image pid pids=() code=0
  for image in "$@"; do
    pull_image "$image" &
    pids+=($!)
    if ((${#pids[@]} == 3)); then
      wait "${pids[0]}" || code=$?
      pids=("${pids[@]:1}")
    fi
    ((code == 0)) || break
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || code=$?
  done
  ((code == 0)) || exit "$code"
}

# shellcheck disable=SC2086 # one argument per image
pull_all $images $PODIUM_IMAGES
