#!/bin/bash
# leave-forget.sh: runs on a control plane that stays: etcd and the API forget a node that has left, or is dead.
#
# Takes:  PODIUM_LEAVES (the node)
# Gives:  nothing
# Alone:  sudo PODIUM_LEAVES=w2 bash leave-forget.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/etcd.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

forget_member() {
  local id name members
  members=$(etcd_members) || return
  while read -r id name _; do
    [[ $name == "$PODIUM_LEAVES" ]] || continue
    say "removing $PODIUM_LEAVES from etcd"
    ask_etcd https://127.0.0.1:2379/v3/cluster/member/remove "{\"ID\":\"$id\"}" >/dev/null
  done <<<"$members"
}
if has_etcd; then
  forget_member || retry_later "etcd does not let $PODIUM_LEAVES go" "see on the control plane: sudo crictl logs etcd"
fi
kubectl delete node "$PODIUM_LEAVES" --ignore-not-found --timeout=60s
