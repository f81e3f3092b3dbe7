#!/bin/bash
# kubeadm-init.sh: makes the first control plane.
#
# Takes:  PODIUM_ADDRESS, PODIUM_USER; the file /var/lib/podium/files/kubeadm-init.yaml
# Gives:  api_url, kubeconfig
# Alone:  sudo PODIUM_ADDRESS=192.168.56.10 PODIUM_USER=vagrant bash kubeadm-init.sh
. "$(dirname "$0")/lib/step.sh"

config=/var/lib/podium/files/kubeadm-init.yaml
if [[ ! -f /etc/kubernetes/admin.conf ]]; then
  sed -i "s/@KUBERNETES_VERSION@/$(kubeadm version -o short)/" "$config"
  kubeadm init --config "$config"
fi
home=$(getent passwd "$PODIUM_USER" | cut -d: -f6)
install -d -m 0700 -o "$PODIUM_USER" "$home/.kube"
install -m 0600 -o "$PODIUM_USER" /etc/kubernetes/admin.conf "$home/.kube/config"
fact api_url "https://$PODIUM_ADDRESS:6443"
fact kubeconfig "$home/.kube/config"
