#!/bin/bash
# kubeadm-join.sh: joins the node to the cluster, as a worker or as a further control plane.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_CRI_SOCKET, PODIUM_USER, PODIUM_JOIN_ROLE (worker or control-plane),
#         PODIUM_API_ENDPOINT (HOST:PORT);
#         the file /var/lib/podium/files/kubeadm-join.yaml; made on the control plane by input-join.sh: PODIUM_JOIN_TOKEN,
#         PODIUM_JOIN_CA_HASH and, for a control plane, PODIUM_JOIN_CERTIFICATE_KEY
# Gives:  joined_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_USER=vagrant PODIUM_JOIN_ROLE=worker PODIUM_API_ENDPOINT=kube-api:6443 \
#           PODIUM_JOIN_TOKEN=... PODIUM_JOIN_CA_HASH=... bash kubeadm-join.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/kubeadm.sh"

# is_whole: a worker that runs, and that the cluster knows by a certificate of its own, has joined.
is_whole() {
  [[ $PODIUM_JOIN_ROLE == worker && -f /etc/kubernetes/kubelet.conf ]] &&
    systemctl is-active --quiet kubelet.service &&
    kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$PODIUM_NODE" >/dev/null 2>&1
}

# join_config: the lab's settings for kubeadm join, and what the control plane has made for this join alone.
join_config() {
  cat /var/lib/podium/files/kubeadm-join.yaml - <<END
discovery:
  bootstrapToken:
    apiServerEndpoint: $PODIUM_API_ENDPOINT
    token: "$PODIUM_JOIN_TOKEN"
    caCertHashes: ["$PODIUM_JOIN_CA_HASH"]
END
  [[ $PODIUM_JOIN_ROLE == control-plane ]] || return 0
  cat <<END
controlPlane:
  certificateKey: "$PODIUM_JOIN_CERTIFICATE_KEY"
  localAPIEndpoint:
    advertiseAddress: $PODIUM_ADDRESS
    bindPort: 6443
END
}

if [[ ! -e $member ]] && ! is_whole; then
  begin_attempt
  # The token goes by a file that only root may read and that no reboot keeps.
  config=$(mktemp /run/podium-join.XXXXXX)
  trap 'rm -f "$config"' EXIT
  join_config >"$config"
  options=(--config "$config")
  if in_container; then
    options+=(--ignore-preflight-errors SystemVerification)
  fi
  kubeadm join "${options[@]}" ||
    retry_later "$PODIUM_NODE cannot join the cluster" "see the lines above, and there: journalctl -u kubelet"
fi
end_attempt
use_endpoint "$PODIUM_API_ENDPOINT"

if [[ $PODIUM_JOIN_ROLE == control-plane ]]; then
  give_kubeconfig root
  give_kubeconfig "$PODIUM_USER"
fi
fact joined_version "$(member_version)"
