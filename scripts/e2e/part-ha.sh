# shellcheck shell=bash
# The built-in lab k8s-ha, unchanged but for the image: three control planes, two workers. Its control planes are
# stopped, one after the other, without a warning, and the API must answer all the same.

: "${work:?}" "${here:?}"

virtual=192.168.56.9

run_ha() {
  local lab=$1/lab leader
  kubernetes_packed || return 0
  lab k8s-ha "$lab" <<<'incus: {image: debian-12}'
  check "up of 3 + 2 from nothing" podium up "$lab" --provider incus --no-baseline -o json || {
    skip "the cluster" "up failed"
    return
  }
  cp "$work/output" "$1/up.json"
  figure "up of 3 + 2" "$(makespan "$1/up.json")"
  check "all nodes are Ready with their private addresses" ha_nodes_ready "$lab"
  check "etcd has three members, all healthy" eventually 30 etcd_members "$lab" cp1 3
  check "one control plane has the virtual address" holder "$lab"
  leader=$(holder "$lab")
  check "kubectl on a worker's side reaches the API by the virtual address" api_answers
  check "a second up changes nothing" idle "$lab"
  check "status" podium status "$lab"
  ran_cluster "$lab" cp1
  ran_package "$lab" cp1 haproxy
  ran_package "$lab" cp1 keepalived

  failover "$lab" "$leader" "incus stop --force"
  check "etcd has two members of three" eventually 60 etcd_members "$lab" "$(other "$leader")" 2
  check "workers still hear the API: both stay Ready" eventually 60 workers_ready "$lab" "$leader"
  check "a change is taken" kube_on "$lab" "$(other "$leader")" create configmap while-one-is-down
  check "up starts the stopped one again" podium up "$lab" --no-baseline
  check "it is Ready, and etcd has three healthy members again" eventually 120 whole_again "$lab"

  kill_member "$lab" cp2
  graceful "$lab"

  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-ha
}

# kube_on LAB NODE...: kubectl on that control plane.
kube_on() {
  local lab=$1 node=$2
  shift 2
  podium ssh "$lab" "$node" -- kubectl "$@"
}

ready_list() {
  kube_on "$1" "$2" get nodes -o \
    'jsonpath={range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | sort
}

ha_nodes_ready() {
  local got want
  got=$(ready_list "$1" cp1)
  want=$(printf '%s True\n' "cp1 192.168.56.10" "cp2 192.168.56.11" "cp3 192.168.56.12" "w1 192.168.56.13" "w2 192.168.56.14")
  [[ $got == "$want" ]] || {
    printf 'got:\n%s\n' "$got"
    return 1
  }
}

workers_ready() {
  local got
  got=$(ready_list "$1" "$(other "$2")")
  printf '%s\n' "$got"
  [[ $(grep -c '^w[12] .* True$' <<<"$got") == 2 ]]
}

# etcd_members LAB NODE COUNT: that many members answer as healthy, asked on the node by the certificate of its own member.
etcd_members() {
  local healthy
  # shellcheck disable=SC2016 # expanded on the node
  healthy=$(podium exec "$1" --on "$2" --sudo -- 'cd /etc/kubernetes/pki/etcd; for m in 10 11 12; do
    curl --silent --max-time 3 --cacert ca.crt --cert server.crt --key server.key https://192.168.56.$m:2379/health; echo; done')
  printf '%s\n' "$healthy"
  [[ $(grep -c '"health":"true"' <<<"$healthy") == "$3" ]]
}

# holder LAB: who has the virtual address; just one may.
holder() {
  local have
  have=$(podium exec "$1" --role control-plane -- "[[ -z \$(ip -o -4 address show to $virtual) ]] || hostname" 2>/dev/null | sed 's/.*| *//')
  printf '%s\n' "$have"
  [[ $have =~ ^cp[1-3]$ ]]
}

other() { [[ $1 == cp1 ]] && echo cp2 || echo cp1; }

# api_answers: once, by the virtual address, from where the nodes' network is reached.
api_answers() { inside curl --silent --fail --insecure --max-time 1 --output "$work/null" "https://$virtual:8443/readyz"; }

# watch_api FILE: asks each 100 ms, until the file $work/watched is there; a line "MILLISECONDS ok|none" each.
watch_api() {
  rm -f "$work/watched"
  # shellcheck disable=SC2016 # expanded by the inner shell
  inside bash -c 'until [[ -e $2 ]]; do
    at=$((${EPOCHREALTIME/[.,]/} / 1000))
    if curl --silent --fail --insecure --max-time 1 --output /dev/null "https://$1:8443/readyz"; then echo "$at ok"; else echo "$at none"; fi
    sleep 0.1
  done' watch "$virtual" "$work/watched" >"$1" &
  watching=$!
}

# gap FILE: the longest time between two answers, in milliseconds.
gap() { awk '$2 == "ok" { if (last && $1 - last > most) most = $1 - last; last = $1 } END { print most + 0 }' "$1"; }

# failover LAB NODE HOW: stops the node and prints for how long the API did not answer.
failover() {
  local lab=$1 node=$2 file=$work/watch.$2
  watch_api "$file"
  sleep 2
  # shellcheck disable=SC2086 # a command with its options
  check "$node, which has the virtual address, is switched off" $3 "k8s-ha-$node"
  check "another control plane takes the virtual address, and the API answers" eventually 30 api_answers
  sleep 5
  : >"$work/watched"
  wait "$watching"
  figure "without an answer after $node was switched off" "$(seconds "$(gap "$file")") ($(grep -c none "$file") of $(grep -c . "$file") questions, one each 100 ms)"
  check "the API was away for less than 10 s" test "$(gap "$file")" -lt 10000
}

whole_again() { ha_nodes_ready "$1" && etcd_members "$1" cp1 3; }

# kill_member LAB NODE: ends its etcd, which the kubelet starts again; the API answers all the time.
kill_member() {
  local lab=$1 node=$2 file=$work/watch.etcd
  watch_api "$file"
  sleep 1
  check "the etcd member of $node is killed" podium exec "$lab" --on "$node" --sudo -- 'pkill -KILL -x etcd'
  check "the API answers" eventually 20 api_answers
  check "the kubelet starts the member again: three are healthy" eventually 90 etcd_members "$lab" cp1 3
  : >"$work/watched"
  wait "$watching"
  figure "without an answer after the etcd of $node was killed" "$(seconds "$(gap "$file")")"
}

# graceful LAB: podium halt of the one that has the address, and up again.
graceful() {
  local lab=$1 leader file=$work/watch.halt
  leader=$(holder "$lab")
  watch_api "$file"
  sleep 1
  check "podium halt of $leader alone" podium halt "$lab" --node "$leader"
  check "the API answers" eventually 30 api_answers
  check "up starts it again" podium up "$lab" --no-baseline
  check "all is whole again" eventually 120 whole_again "$lab"
  : >"$work/watched"
  wait "$watching"
  figure "without an answer while $leader was halted and came back" "$(seconds "$(gap "$file")")"
}
