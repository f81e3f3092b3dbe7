#!/bin/bash
# leave-drain.sh: runs on a control plane that stays, before another node leaves the cluster for good: looks whether it
# may, and moves its pods away. One that does not answer any more is left without that: nobody can stop its pods.
#
# Takes:  PODIUM_LEAVES (the node)
# Gives:  nothing
# Alone:  sudo PODIUM_LEAVES=w2 bash leave-drain.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/api.sh"
. "$(dirname "$0")/lib/etcd.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

wait_until 120 api_ready || retry_later "the API server does not answer, so $PODIUM_LEAVES cannot leave the cluster" "see on the control plane: sudo crictl ps -a"

# A member less needs a majority of those that are left.
etcd_can_spare() {
  local id name url left=0 healthy=0 member=no members
  members=$(etcd_members) || die "etcd does not say who its members are" "see on the control plane: sudo crictl logs etcd"
  while read -r id name url; do
    if [[ $name == "$PODIUM_LEAVES" ]]; then
      member=yes
      continue
    fi
    left=$((left + 1))
    ! etcd_healthy "$url" || healthy=$((healthy + 1))
  done <<<"$members"
  [[ $member == yes ]] || return 0
  ((healthy > left / 2)) ||
    die "$PODIUM_LEAVES cannot leave: of the $left members that etcd would have left only $healthy are healthy, which is not a majority" \
      "repair them first: podium status; podium repair"
}
! has_etcd || etcd_can_spare

kubectl get node "$PODIUM_LEAVES" >/dev/null 2>&1 || exit 0
ready=$(kubectl get node "$PODIUM_LEAVES" --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
if [[ $ready == True ]]; then
  # The node is going to be destroyed: a pod that nobody makes again goes with it.
  through_restart kubectl drain "$PODIUM_LEAVES" --ignore-daemonsets --delete-emptydir-data --force --timeout=300s ||
    die "the pods of $PODIUM_LEAVES cannot be moved away" "see the lines above: a PodDisruptionBudget must let one go; then podium up --prune again"
else
  say "$PODIUM_LEAVES does not answer: its pods are recreated elsewhere"
  kubectl cordon "$PODIUM_LEAVES"
fi
