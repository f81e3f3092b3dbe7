#!/bin/bash
# kubeadm-init.sh: makes the cluster, with this node as its first control plane.
#
# Takes:  PODIUM_NODE, PODIUM_CRI_SOCKET, PODIUM_ADDRESS, PODIUM_USER;
#         the file /var/lib/podium/files/kubeadm-init.yaml; optional: PODIUM_API_URL (where the API of several
#         control planes is)
# Gives:  api_url, kubeconfig, joined_version
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

# ask_external_etcd CALL JSON: asks the external etcd, by the gateway for those who have no client
# (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/); the first member that answers will do.
ask_external_etcd() {
  local endpoint endpoints pki=/etc/kubernetes/etcd
  endpoints=$(sed -n 's/^ *- \(https:[^ ]*:2379\)$/\1/p' "$config")
  for endpoint in $endpoints; do
    curl --silent --fail --max-time 20 --cacert "$pki/ca.crt" --cert "$pki/client.crt" --key "$pki/client.key" \
      --data "$2" "$endpoint/v3/kv/$1" && return
  done
  retry_later "no member of etcd answers" "see on the etcd nodes: journalctl -u etcd"
}

# empty_etcd CUT-OFF: sees to it that an external etcd holds no other cluster: its objects would be signed by an authority
# that is gone. What an attempt of this node that was cut off (yes or no) has left there is removed.
empty_etcd() {
  local all='"key":"L3JlZ2lzdHJ5Lw==","range_end":"L3JlZ2lzdHJ5MA=="' count # in base64: from /registry/ to /registry0
  grep -q '^  external:' "$config" || return 0
  count=$(ask_external_etcd range "{$all,\"count_only\":true}")
  [[ $count == *'"count"'* ]] || return 0
  [[ $1 == yes ]] ||
    die "etcd holds the data of a cluster whose control planes are gone" "if nobody needs it, on an etcd node: sudo -i etcdctl del --prefix /registry/; then podium up again"
  say "removing what the attempt has left in etcd"
  ask_external_etcd deleterange "{$all}" >/dev/null
}

# move_endpoint HOST:PORT: has the cluster that is there believe in another place of its API, as it stands in the
# configuration, and its API server's certificate hold for all names there. What kubeadm uploads, further nodes read.
move_endpoint() {
  local name names held missing=no
  names=$(sed -n '/^ *certSANs:/,/^[^ ]/s/^ *- "\(.*\)"$/\1/p' "$config")
  held=$(openssl x509 -in /etc/kubernetes/pki/apiserver.crt -noout -ext subjectAltName),
  while read -r name; do
    [[ $held == *:"$name",* ]] || missing=yes
  done <<<"$names"
  if [[ $missing == yes ]]; then
    say "renewing the API server's certificate, for all its names"
    rm -f /etc/kubernetes/pki/apiserver.{crt,key}
    kubeadm init phase certs apiserver --config "$config" # the API server reads it again by itself
  fi
  kubeadm init phase upload-config kubeadm --config "$config"
  move_clients "$1" kube-public cluster-info
  move_clients "$1" kube-system kube-proxy
  kubectl --namespace kube-system rollout restart daemonset kube-proxy
}

# move_clients HOST:PORT NAMESPACE CONFIGMAP: the kubeconfig in there leads to the endpoint.
move_clients() {
  kubectl --namespace "$2" get configmap "$3" --output yaml |
    sed -E "s#(server: )https://${1%:*}:[0-9]+#\1https://$1#" | kubectl apply --filename -
}

# The configuration stays, for people who want to see it; it holds no secret. Tokens are made when a node joins.
config=$keep/kubeadm.yaml
kubeadm_config /var/lib/podium/files/kubeadm-init.yaml | write_file 0600 "$config"
endpoint=$(configured controlPlaneEndpoint <"$config")

if [[ ! -e $member ]] && ! is_whole; then
  cut_off=no
  [[ ! -e $attempt ]] || cut_off=yes
  begin_attempt
  empty_etcd "$cut_off"
  options=(--config "$config" --skip-token-print)
  if in_container; then
    options+=(--ignore-preflight-errors SystemVerification)
  fi
  kubeadm init "${options[@]}" ||
    die "kubeadm init failed on $PODIUM_NODE" "see the lines above, and there: journalctl -u kubelet; crictl ps -a"
fi
end_attempt
use_endpoint "$endpoint"
wait_until 180 api_ready || die "the API server of $PODIUM_NODE does not answer" "see there: journalctl -u kubelet; sudo crictl ps -a"

there=$(kubectl --namespace kube-system get configmap kubeadm-config --output 'jsonpath={.data.ClusterConfiguration}' | configured controlPlaneEndpoint)
[[ $there == "$endpoint" ]] || move_endpoint "$endpoint"

give_kubeconfig root
give_kubeconfig "$PODIUM_USER"
fact joined_version "$(member_version)"
own=https://$PODIUM_ADDRESS:6443
fact api_url "${PODIUM_API_URL:-$own}"
fact kubeconfig "$(getent passwd "$PODIUM_USER" | cut -d : -f 6)/.kube/config"
