#!/bin/bash
# repair-cluster.sh: runs on the first control plane after all nodes have been seen to: does the API answer, is every
# node Ready, do the pods that the cluster itself needs run, those of its network first? What does not run is started
# again.
#
# Takes:  PODIUM_REPAIR (plan or fix), PODIUM_KUBE_NODES (lines "name address")
# Gives:  finding_N, beyond_N: what is wrong -> what is done
# Alone:  sudo PODIUM_REPAIR=plan PODIUM_KUBE_NODES='cp 192.168.56.10' bash repair-cluster.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/repair.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

[[ -f $KUBECONFIG ]] || exit 0
api_ready() { kubectl get --raw /readyz >/dev/null 2>&1; }

# not_ready: the names of nodes that are missing or not Ready.
not_ready() {
  local table name status
  table=$(kubectl get nodes --no-headers 2>/dev/null) || true
  while read -r name _; do
    status=$(grep -E "^$name +" <<<"$table" | sed -E 's/^[^ ]+ +([^ ]+) .*/\1/') || true
    [[ $status == Ready || $status == Ready,* ]] || printf '%s\n' "$name"
  done <<<"$PODIUM_KUBE_NODES"
}
nodes_ready() { [[ -z $(not_ready) ]]; }

# idle_pods: lines "namespace name" of the cluster's own pods that do not run whole.
idle_pods() {
  kubectl get pods --all-namespaces --no-headers 2>/dev/null |
    grep -E '^(kube-system|kube-flannel|calico-system|calico-apiserver|tigera-operator|cilium) ' |
    grep -v -E '^[^ ]+ +[^ ]+ +([0-9]+)/\1 +Running |^[^ ]+ +[^ ]+ +[^ ]+ +Completed ' | sed -E 's/^([^ ]+) +([^ ]+) .*/\1 \2/' || true
}
pods_run() { [[ -z $(idle_pods) ]]; }

# After a repair of the nodes, and after a boot, all this comes by itself: it gets the time for that.
if [[ $PODIUM_REPAIR == fix ]]; then
  wait_until 180 api_ready || {
    beyond "the API does not answer" "see on the control plane: journalctl -u kubelet; sudo crictl ps -a"
    exit 0
  }
  # Nodes that the control plane has not heard of for long are Ready for it until it looks again.
  wait_until 120 nodes_ready || true
  wait_until 60 pods_run || true
elif ! api_ready; then
  wrong "the API does not answer" "it does once its control planes are repaired" || true
  exit 0
else
  wait_until 30 pods_run || true # a cluster that has just started is not broken
fi

missing=$(not_ready | paste -s -d ' ')
if [[ -n $missing ]]; then
  if [[ $PODIUM_REPAIR == fix ]]; then
    beyond "not Ready: $missing" "see on those nodes: journalctl -u kubelet"
  else
    wrong "not Ready: $missing" "the repair of those nodes is waited for" || true
  fi
fi
idle=$(idle_pods)
if [[ -n $idle ]] && wrong "pods of the cluster do not run: $(cut -d ' ' -f 2 <<<"$idle" | paste -s -d ' ')" "restart them"; then
  while read -r namespace pod; do
    kubectl --namespace "$namespace" delete pod "$pod" --wait=false
  done <<<"$idle"
  wait_until 120 pods_run || beyond "pods of the cluster still do not run: $(idle_pods | cut -d ' ' -f 2 | paste -s -d ' ')" "see: kubectl describe pod"
fi
