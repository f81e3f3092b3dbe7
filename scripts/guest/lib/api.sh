# shellcheck shell=bash
# shellcheck disable=SC2154 # set by the step
# api.sh: asks an API server that may be starting again, as it does while a cluster is upgraded. Needs step.sh, and kubectl
# with the right to ask.

api_ready() { kubectl get --raw /readyz >/dev/null 2>&1; }

# What kubectl says of an API server that goes, and of one that comes: that one answers before it has read who may do what.
between_lives='connection refused|connection reset by peer|EOF|TLS handshake timeout|etcdserver: |is forbidden: User "(kubernetes-admin|system:node:)'

# through_restart COMMAND...: the command, and again while an API server that is starting again is why it fails.
through_restart() {
  local errors try code=1
  errors=$(mktemp)
  for ((try = 0; try < 30; try++)); do
    if { "$@" 2>&1 >&3 | tee "$errors" >&2; } 3>&1; then
      code=0
      break
    fi
    grep -q -E "$between_lives" "$errors" || break
    say "the API server was starting again: trying once more" >&2
    sleep 2
  done
  rm -f "$errors"
  return "$code"
}

# kubelet_pods NODE: the pods of a node as its kubelet has them now, a line a pod; fails when the kubelet does not answer.
# What the API knows may be from before the node's last start. An API that leads to no kubelet gives no line.
kubelet_pods() {
  local said
  if said=$(kubectl get --raw "/api/v1/nodes/$1/proxy/pods" 2>&1); then
    said=${said//'{"metadata":'/$'\n{"metadata":'}
    grep '"metadata":' <<<"$said" || true
  else
    [[ $said == *NotFound* ]]
  fi
}

# static_pod_ready HASH PODS: whether PODS, of kubelet_pods, has the static pod of that hash, and has it Ready.
static_pod_ready() {
  [[ -z $2 ]] || grep -q '"kubernetes.io/config.hash": *"'"$1"'".*"type": *"Ready"[^}]*"status": *"True"' <<<"$2"
}

# static_pods_settled NODE: the static pods of a control plane are Ready, and they are the ones that its kubelet has now. A
# new kubelet may compute other hashes of the same manifests: it then starts the whole control plane again, some seconds
# after the node is Ready. The API knows a static pod by the hash that it was started with.
static_pods_settled() {
  local known own node hash ready
  known=$(static_pods_known 2>/dev/null) && own=$(kubelet_pods "$1") || return 1
  while read -r node _ ready hash; do
    [[ $node != "$1" ]] || { [[ $ready == True ]] && static_pod_ready "$hash" "$own"; } || return 1
  done <<<"$known"
  while read -r hash; do
    [[ -z $hash || $known == *" True $hash"* ]] || return 1
  done <<<"$(grep '"kubernetes.io/config.source": *"file"' <<<"$own" | grep -o '"kubernetes.io/config.hash": *"[^"]*"' | cut -d '"' -f 4)"
}

# static_pods_known: the static pods of all control planes as the API knows them, lines "node pod ready hash".
static_pods_known() {
  kubectl --namespace kube-system get pods --selector tier=control-plane --output \
    'jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {.metadata.annotations.kubernetes\.io/config\.hash}{"\n"}{end}'
}
