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

# static_pods_settled NODE: the static pods of a control plane are Ready, and they are the ones that its kubelet has now. A
# new kubelet may compute other hashes of the same manifests: it then starts the whole control plane again, some seconds
# after the node is Ready. The API knows a static pod by the hash that it was started with.
static_pods_settled() {
  local pods hashes said hash
  pods=$(kubectl --namespace kube-system get pods --selector tier=control-plane --output \
    'jsonpath={range .items[*]}{.spec.nodeName} {.metadata.annotations.kubernetes\.io/config\.hash} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' 2>/dev/null |
    grep "^$1 ") || return 1
  if ! said=$(kubectl get --raw "/api/v1/nodes/$1/proxy/pods" 2>&1); then
    # An API that leads to no kubelet knows nothing but how they are.
    [[ $said == *NotFound* && $pods != *False* ]] || return 1
    return 0
  fi
  hashes=$(grep -o '"kubernetes.io/config.hash": *"[^"]*"' <<<"$said" | cut -d '"' -f 4) || return 1
  for hash in $hashes; do
    [[ $pods == *" $hash True"* ]] || return 1
  done
}
