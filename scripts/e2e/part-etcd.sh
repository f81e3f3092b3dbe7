# shellcheck shell=bash
# The built-in lab k8s-external-etcd, unchanged but for the image: three machines of etcd, two control planes, a
# worker. A member of etcd is killed, a machine of etcd is switched off and another recreated, and the API answers.

: "${work:?}" "${here:?}"
# shellcheck source-path=SCRIPTDIR source=part-ha.sh
. "$here/part-ha.sh"
# shellcheck source-path=SCRIPTDIR source=part-upgrade.sh
. "$here/part-upgrade.sh"

run_etcd() {
  local lab=$1/lab file=$1/watch new_version=$kubernetes_after
  check "etcd's releases are packed" "$here/kubernetes.sh" more etcd || return 0
  know_mirror
  kubernetes_packed || return 0
  packed_too "$kubernetes_after" || return 0
  etcd_override "$kubernetes_default" | lab k8s-external-etcd "$lab"
  check "up of 3 etcd + 2 + 1 from nothing" podium up "$lab" --provider incus --no-baseline -o json || {
    skip "the cluster" "up failed"
    return
  }
  cp "$work/output" "$1/up.json"
  figure "up of 3 etcd + 2 + 1" "$(makespan "$1/up.json")"
  check "no key of etcd stands in the lab's folder, logs included" no_keys "$lab"
  check "all nodes are Ready" eventually 60 external_ready "$lab" cp1 3
  check "no control plane runs etcd" fails 1 podium exec "$lab" --role control-plane --sudo -- 'pgrep -x etcd'
  check "three members, all healthy" eventually 30 external_health "$lab" etcd1 3
  check "a client without a certificate is refused" refused
  check "a client with a certificate of the Kubernetes cluster is refused" refused_kubernetes "$lab"
  check "the API server's certificate is taken" podium exec "$lab" --on cp2 --sudo -- \
    'cd /etc/kubernetes/etcd && curl --silent --fail --cacert ca.crt --cert client.crt --key client.key https://192.168.56.23:2379/health'
  check "the cluster's objects are there" prints '/registry/minions/cp1' \
    podium exec "$lab" --on etcd3 -- "sudo -i etcdctl get --prefix --keys-only /registry/minions | grep ."
  check "a second up changes nothing" podium up "$lab" --no-baseline

  watch_api "$file"
  sleep 1
  check "the machine of a member is switched off" incus stop --force k8s-external-etcd-etcd2
  sleep 5
  check "a change is taken" kube_on "$lab" cp1 create configmap while-one-is-down
  check "the others are healthy" eventually 30 external_health "$lab" etcd1 2
  : >"$work/watched"
  wait "$watching"
  figure "without an answer after a machine of etcd was switched off" "$(seconds "$(gap "$file")") ($(grep -c none "$file") of $(grep -c . "$file") questions)"
  check "up starts it again" podium up "$lab" --no-baseline
  check "three members, all healthy" eventually 60 external_health "$lab" etcd1 3

  watch_api "$file"
  check "a member is killed" podium exec "$lab" --on etcd1 --sudo -- 'pkill -KILL -x etcd'
  check "systemd starts it again" eventually 30 external_health "$lab" etcd3 3
  : >"$work/watched"
  wait "$watching"
  figure "without an answer after a member was killed" "$(seconds "$(gap "$file")") ($(grep -c none "$file") of $(grep -c . "$file") questions)"

  check "a machine of etcd is lost" incus delete --force k8s-external-etcd-etcd3
  check "up recreates it" podium up "$lab" --no-baseline
  check "its member is one of three healthy ones again" eventually 60 external_health "$lab" etcd1 3
  check "all nodes are Ready" eventually 60 external_ready "$lab" cp2 3

  ran_external "$lab"
  raise_external "$lab"
  ran_external "$lab"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-external-etcd
}

etcd_override() { printf 'kubernetes: {version: "%s"}\nincus: {image: debian-12}\n' "${1%.*}"; }

# raise_external LAB: etcd to the next minor, a member after the other, then the cluster to the next Kubernetes.
raise_external() {
  local lab=$1 file=$work/watch.external etcd
  etcd_override "$new_version" >"$lab/lab.override.yaml"
  watch_api "$file"
  check "up to $new_version" podium up "$lab" --no-baseline
  figure "the upgrade of 3 etcd + 2 + 1" "$(grep -o 'took [0-9.a-z]*' "$work/output" | head -n 1)"
  : >"$work/watched"
  wait "$watching"
  figure "longest time without an answer by the virtual address" "$(seconds "$(gap "$file")") ($(grep -c none "$file") of $(grep -c . "$file") questions)"
  check "the API was away for less than 10 s" test "$(gap "$file")" -lt 10000
  etcd=$(image_of "$lab" cp1 etcd)
  etcd=${etcd##*:}
  check "every member is the newer etcd" prints "[|] 3\$" podium exec "$lab" --on etcd1 -- \
    "sudo -i etcdctl endpoint status --cluster | grep -c ', ${etcd%-*}, '"
  check "three members, all healthy" eventually 60 external_health "$lab" etcd1 3
  check "all nodes have $new_version" eventually 60 kubelets_on "$lab" cp1 "cp1 v$new_version" "cp2 v$new_version" "w1 v$new_version"
  local round
  for round in first second; do # see lib/etcd-snapshot.sh
    check "all members restart together, the $round time" podium exec "$lab" --role etcd --sudo -- systemctl restart etcd
    check "three members, all healthy" eventually 60 external_health "$lab" etcd1 3
  done
  check "what was said while one was down is still known" kube_on "$lab" cp2 get configmap while-one-is-down
  check "a second up changes nothing" idle "$lab"
}

# ran_external LAB: notes the cluster, and what the machines of etcd say theirs is.
ran_external() {
  ran_cluster "$1" cp1
  ran etcd "$(podium ssh "$1" etcd1 -- etcd --version | sed -n 's/^etcd Version: //p')"
}

# external_ready LAB NODE COUNT: that many nodes are Ready.
external_ready() {
  local list
  list=$(ready_list "$1" "$2")
  printf '%s\n' "$list"
  [[ $(grep -c ' True$' <<<"$list") == "$3" ]]
}

# external_health LAB NODE COUNT: that many members answer as healthy, asked on the node.
external_health() {
  local healthy
  # shellcheck disable=SC2016 # expanded on the node
  healthy=$(podium exec "$1" --on "$2" --sudo -- 'cd /etc/etcd/pki; for m in 21 22 23; do
    curl --silent --max-time 3 --cacert ca.crt --cert healthcheck.crt --key healthcheck.key https://192.168.56.$m:2379/health; echo; done')
  printf '%s\n' "$healthy"
  [[ $(grep -c '"health":"true"' <<<"$healthy") == "$3" ]]
}

# refused: TLS ends: while it is set up (35), or when curl, which TLS 1.3 lets go on, writes (55) or reads (56).
refused() {
  local code=0 answer
  answer=$(inside curl --silent --show-error --insecure --max-time 5 https://192.168.56.21:2379/health) || code=$?
  echo "curl ended with $code: $answer"
  [[ $code =~ ^(35|55|56)$ && -z $answer ]]
}

refused_kubernetes() {
  # shellcheck disable=SC2016 # expanded on the node
  podium exec "$1" --on cp1 --sudo -- 'cd /etc/kubernetes/pki; code=0
    curl --silent --insecure --max-time 5 --cert apiserver-kubelet-client.crt --key apiserver-kubelet-client.key https://192.168.56.21:2379/health || code=$?
    echo "curl: $code"; [ "$code" = 35 ] || [ "$code" = 55 ] || [ "$code" = 56 ]'
}

# no_keys LAB: the lab's folder has no line of any key that etcd's authority has given out, nor the bundle they came in.
no_keys() {
  local lines line
  # shellcheck disable=SC2016 # expanded on the node
  lines=$(podium exec "$1" --on etcd1 --sudo -- 'cd /var/lib/podium/etcd-ca; sed -s -n 2p ca.key issued/*/*.key; for f in issued/*; do
    (cd "$f"; tar --create ./*.crt ./*.key | base64 --wrap 0 | cut -c 701-760; echo); done' | sed 's/^.*| //' | grep -E '.{40}')
  (($(grep -c . <<<"$lines") > 10)) || {
    echo "there are too few keys to look for: $lines"
    return 1
  }
  while read -r line; do
    if grep -r -l -F -e "$line" "$1"; then
      return 1
    fi
  done <<<"$lines"
}
