#!/bin/bash
# kube-upgrade-control-plane.sh: brings a control plane to the version of the kubeadm that is there: its static pods and
# etcd first; then, with its pods moved away, its kubelet. Where it was cut off it goes on.
#
# Takes:  PODIUM_NODE, PODIUM_USER, PODIUM_KUBERNETES_VERSION (1.36, or exact: 1.36.2), PODIUM_UPGRADE_FIRST (yes: this
#         one upgrades what the cluster has as a whole; no: the first one has); the file
#         /var/lib/podium/files/kubeadm-init.yaml on the first; optional: the proxy's
# Gives:  upgraded_version
# Alone:  sudo PODIUM_NODE=cp PODIUM_USER=vagrant PODIUM_KUBERNETES_VERSION=1.36 PODIUM_UPGRADE_FIRST=yes \
#           bash kube-upgrade-control-plane.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/kubeadm.sh"
. "$(dirname "$0")/lib/api.sh"
. "$(dirname "$0")/lib/drain.sh"
. "$(dirname "$0")/lib/upgrade.sh"
. "$(dirname "$0")/lib/etcd-snapshot.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

wait_for_api() {
  wait_until 180 api_ready || retry_later "the API server of $PODIUM_NODE does not answer" "see there: journalctl -u kubelet; sudo crictl ps -a"
}

# prepare_etcd: while all members are still 3.5.
prepare_etcd() {
  local manifest=/etc/kubernetes/manifests/etcd.yaml pki=/etc/kubernetes/pki/etcd count
  if [[ ! -f $manifest ]] || ! grep -q 'image: .*/etcd:3\.5\.' "$manifest"; then
    return
  fi
  count=$(sed -n 's/.*--snapshot-count=\([0-9]*\).*/\1/p' "$manifest")
  snapshot_by_writing "${count:-100000}" https://127.0.0.1:2379 \
    --cacert "$pki/ca.crt" --cert "$pki/healthcheck-client.crt" --key "$pki/healthcheck-client.key"
}

wait_for_api
if [[ $PODIUM_UPGRADE_FIRST == yes ]]; then
  prepare_etcd
  upgrade_by_kubeadm apply --yes "v$target"
  # What the join of further control planes goes by.
  kubeadm_config /var/lib/podium/files/kubeadm-init.yaml | write_file 0600 "$keep/kubeadm.yaml"
else
  upgrade_by_kubeadm node
fi
wait_for_api

if ! node_is_upgraded; then
  drain "$PODIUM_NODE"
  upgrade_kubelet
  wait_for_api
  await_node
fi
wait_until 240 static_pods_settled "$PODIUM_NODE" ||
  retry_later "the control plane of $PODIUM_NODE is not whole again" "see there: journalctl -u kubelet; sudo crictl ps -a"
uncordon "$PODIUM_NODE"

# kubeadm has renewed the certificates on its way.
give_kubeconfig root
give_kubeconfig "$PODIUM_USER"
fact upgraded_version "$(member_version)"
