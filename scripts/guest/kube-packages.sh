#!/bin/bash
# kube-packages.sh: kubelet, kubeadm and kubectl of one minor version, held at it.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_KUBERNETES_VERSION (1.36 or 1.36.2), PODIUM_KUBERNETES_MINOR (1.36)
# Gives:  kubernetes_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_ADDRESS=192.168.56.11 PODIUM_KUBERNETES_VERSION=1.36 PODIUM_KUBERNETES_MINOR=1.36 bash kube-packages.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/apt.sh"

repo=${PODIUM_MIRROR_KUBERNETES:-https://pkgs.k8s.io}/core:/stable:/v$PODIUM_KUBERNETES_MINOR/deb
mkdir -p /etc/apt/keyrings
curl -fsSL --retry 3 "$repo/Release.key" | gpg --batch --yes --dearmor -o /etc/apt/keyrings/kubernetes-apt-keyring.gpg
write_file 0644 /etc/apt/sources.list.d/kubernetes.list <<END
deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] $repo/ /
END
apt_update
if [[ $PODIUM_KUBERNETES_VERSION == "$PODIUM_KUBERNETES_MINOR" ]]; then
  apt_install kubelet kubeadm kubectl
else
  apt_install "kubelet=$PODIUM_KUBERNETES_VERSION-*" "kubeadm=$PODIUM_KUBERNETES_VERSION-*" "kubectl=$PODIUM_KUBERNETES_VERSION-*"
fi
apt-mark hold kubelet kubeadm kubectl
write_file 0644 /etc/default/kubelet <<END
KUBELET_EXTRA_ARGS=--node-ip=$PODIUM_ADDRESS
END
systemctl enable kubelet
fact kubernetes_version "$(kubeadm version -o short)"
