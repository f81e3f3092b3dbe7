# shellcheck shell=bash
# etcd.sh: etcd's members, asked by its JSON API (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/), which needs no
# etcdctl. For a control plane that has etcd itself; elsewhere has_etcd says no. Needs step.sh.

# has_etcd: whether an etcd of the cluster runs on this node.
has_etcd() { [[ -f /etc/kubernetes/manifests/etcd.yaml ]]; }

# ask_etcd URL [BODY]: with a body POST, else GET.
ask_etcd() {
  local url=$1 pki=/etc/kubernetes/pki/etcd options=()
  (($# < 2)) || options=(--data "$2")
  curl --silent --show-error --fail --noproxy '*' --max-time 10 \
    --cacert "$pki/ca.crt" --cert "$pki/healthcheck-client.crt" --key "$pki/healthcheck-client.key" "${options[@]}" "$url"
}

# etcd_members: a line "ID NAME URL" for each, NAME is - for one that has not started yet.
etcd_members() {
  local answer member id name url
  answer=$(ask_etcd https://127.0.0.1:2379/v3/cluster/member/list '{}') || return
  answer=$(sed -e 's/.*"members":\[//' -e 's/},{/}\n{/g' <<<"$answer")
  while read -r member; do
    id=$(sed -n 's/.*"ID":"\([0-9]*\)".*/\1/p' <<<"$member")
    name=$(sed -n 's/.*"name":"\([^"]*\)".*/\1/p' <<<"$member")
    url=$(sed -n 's/.*"clientURLs":\["\([^"]*\)".*/\1/p' <<<"$member")
    [[ -z $id ]] || printf '%s %s %s\n' "$id" "${name:--}" "${url:--}"
  done <<<"$answer"
}

# etcd_healthy URL: whether a member answers, as one of a majority.
etcd_healthy() { [[ $(ask_etcd "$1/health" 2>/dev/null) == *'"health":"true"'* ]]; }
