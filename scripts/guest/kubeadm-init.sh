#!/bin/bash
# kubeadm-init.sh: makes the cluster, with this node as its first control plane.
#
# Takes:  PODIUM_NODE, PODIUM_CRI_SOCKET, PODIUM_ADDRESS, PODIUM_USER;
#         the file /var/lib/podium/files/kubeadm-init.yaml
# Gives:  api_url, kubeconfig
# Alone:  sudo PODIUM_NODE=cp PODIUM_ADDRESS=192.168.56.10 PODIUM_USER=vagrant bash kubeadm-init.sh
#
# Ignored of kubeadm's checks: SystemVerification, in system containers only, because it reads the kernel's
# configuration, which is not to be had there. A machine with one CPU or under 1700 MB is refused as kubeadm refuses it.
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/kubeadm.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

api_ready() { kubectl get --raw /readyz >/dev/null 2>&1; }

# is_whole: whether kubeadm has done its last phase, the addons.
is_whole() {
  [[ -f $KUBECONFIG ]] && wait_until 5 api_ready &&
    kubectl --namespace kube-system get deployment coredns >/dev/null 2>&1 &&
    kubectl --namespace kube-system get daemonset kube-proxy >/dev/null 2>&1
}

# The configuration stays, for whoever wants to see it; it holds no secret. Tokens are made when a node joins.
config=$keep/kubeadm.yaml
kubeadm_config </var/lib/podium/files/kubeadm-init.yaml | write_file 0600 "$config"

if [[ ! -e $member ]] && ! is_whole; then
  begin_attempt
  options=(--config "$config" --skip-token-print)
  if in_container; then
    options+=(--ignore-preflight-errors SystemVerification)
  fi
  kubeadm init "${options[@]}" ||
    die "kubeadm init failed on $PODIUM_NODE" "see the lines above, and there: journalctl -u kubelet; crictl ps -a"
fi
end_attempt
wait_until 180 api_ready || die "the API server of $PODIUM_NODE does not answer" "see there: journalctl -u kubelet; sudo crictl ps -a"

give_kubeconfig root
give_kubeconfig "$PODIUM_USER"
fact api_url "https://$PODIUM_ADDRESS:6443"
fact kubeconfig "$(getent passwd "$PODIUM_USER" | cut -d : -f 6)/.kube/config"
