#!/bin/bash
# kube-packages.sh: kubelet, kubeadm and kubectl of one minor version, held there; the kubelet bound to the private card.
# On a node of a cluster only kubeadm changes: the others wait for the node's upgrade.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_KUBERNETES_MINOR (1.36), PODIUM_KUBERNETES_VERSION (the same, or exact:
#         1.36.2); optional: PODIUM_MIRROR_KUBERNETES (instead of https://pkgs.k8s.io), PODIUM_KEY_KUBERNETES (its
#         key's fingerprint), the proxy's
# Gives:  kubernetes_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_ADDRESS=192.168.56.11 PODIUM_KUBERNETES_MINOR=1.36 PODIUM_KUBERNETES_VERSION=1.36 \
#           bash kube-packages.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/kubernetes-repository.sh"

# A node of a cluster changes its kubelet by kubeadm upgrade only, one node at a time (kube-upgrade-*.sh). kubeadm itself
# may be newer before that: it goes forward by one minor version, and never back.
member=no
if [[ -f /etc/kubernetes/kubelet.conf ]]; then
  member=yes
  there=$(kubelet --version) # "Kubernetes v1.36.2"
  there=${there#* v}
  wanted=${PODIUM_KUBERNETES_MINOR#*.}
  minor=${there#*.}
  minor=${minor%%.*}
  ((wanted >= minor)) || die "$PODIUM_NODE has Kubernetes $there, and lab.yaml asks for $PODIUM_KUBERNETES_VERSION" \
    "a cluster cannot go back: write version: \"$there\", or run podium destroy, then podium up"
  ((wanted <= minor + 1)) || die "$PODIUM_NODE has Kubernetes $there, and lab.yaml asks for $PODIUM_KUBERNETES_VERSION" \
    "an upgrade goes one minor version at a time: write version: \"${there%%.*}.$((minor + 1))\", run podium up, then the next one"
fi

kubernetes_repository
version=$(kubernetes_version)
if [[ $member == yes ]]; then
  apt_install "kubeadm=$version" conntrack iptables
  apt_download "kubelet=$version" "kubectl=$version"
else
  apt_install "kubelet=$version" "kubeadm=$version" "kubectl=$version" conntrack iptables
fi
apt_hold kubelet kubeadm kubectl

# Without it the kubelet takes the address of the card with the default route: the NAT card, the same on every node.
# The file is read by the unit that the package brings, for kubeadm's join and for a join by hand.
write_config 0644 /etc/default/kubelet <<END
KUBELET_EXTRA_ARGS=--node-ip=$PODIUM_ADDRESS
END
# A kubelet that finds no container runtime ends, and systemd would try again ten seconds later: with each boot. So it
# starts after the runtime, tries again soon while that one still reads what it had, and not at all before the node has
# joined a cluster.
write_config 0644 /etc/systemd/system/kubelet.service.d/podium.conf <<'END'
[Unit]
After=containerd.service crio.service cri-docker.service
ConditionPathExists=/var/lib/kubelet/config.yaml

[Service]
RestartSec=1s
END
systemctl is-enabled --quiet kubelet.service || systemctl enable --quiet kubelet.service
if [[ $member == yes ]]; then
  run_service kubelet.service
else
  service_is_fresh # it starts when it joins a cluster
fi

fact kubernetes_version "$(kubeadm version --output short)"
