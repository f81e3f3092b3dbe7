#!/bin/bash
# kube-images.sh: fetches the images that the node will need, while other nodes are still being prepared.
#
# Takes:  PODIUM_NODE, PODIUM_KUBE_ROLE (control-plane or worker), PODIUM_IMAGES (more images, by spaces); the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_KUBE_ROLE=worker PODIUM_IMAGES= bash kube-images.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"

socket=unix:///run/containerd/containerd.sock
version=$(kubeadm version --output short)

# pull IMAGE: by way of the kubelet's own interface where crictl is there, else by containerd's tool, told of the mirrors.
pull() {
  if [[ -n $(ctr --namespace k8s.io images list --quiet "name==$1") ]]; then
    return
  fi
  say "pulling $1"
  if command -v crictl >/dev/null; then
    crictl pull "$1"
  else
    ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" >/dev/null
  fi || retry_later "$1 cannot be pulled" "does $PODIUM_NODE reach the registry? a mirror is set under mirrors: in lab.yaml"
}

if [[ $PODIUM_KUBE_ROLE == control-plane ]]; then
  kubeadm config images pull --kubernetes-version "$version" --cri-socket "$socket" ||
    retry_later "the images of Kubernetes $version cannot be pulled" "does $PODIUM_NODE reach registry.k8s.io? a mirror is set under mirrors: in lab.yaml"
else
  # A worker runs no etcd and no API server.
  for image in $(kubeadm config images list --kubernetes-version "$version" | grep -e /kube-proxy: -e /pause: -e /coredns); do
    pull "$image"
  done
fi
for image in $PODIUM_IMAGES; do
  pull "$image"
done
