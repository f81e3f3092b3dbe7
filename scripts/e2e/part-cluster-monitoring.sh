# shellcheck shell=bash
# The built-in lab monitoring on a real cluster, without Grafana: Prometheus has every target, of the cluster too; alerts
# are tripped and reach Alertmanager. Then the same from inside a cluster, with images compiled from the projects' modules.

: "${work:?}" "${here:?}"

run_cluster-monitoring() {
  check "kube-state-metrics and the others are packed" "$here/kubernetes.sh" more prometheus || return
  check "Kubernetes is built and packed" "$here/kubernetes.sh" pack || return
  watch_from_outside "$1/outside"
  watch_from_inside "$1/inside"
  skip "Grafana" "its packages and image come from servers that are not to be had here"
}

# everything of two nodes in a cluster: what Prometheus has to reach, a job a line with the number of its targets.
cluster_jobs='alertmanager 1
apiserver 1
cadvisor 2
etcd 1
kube-state-metrics 1
kubelet 2
prometheus 1'

watch_from_outside() {
  local lab=$1
  "$work/podium" init monitoring "$lab" >/dev/null # not the lab of that name below scripts/e2e
  cat >"$lab/lab.override.yaml" <<'END'
nodes: [{name: w, count: 1}]
monitoring: {grafana: false}
incus: {image: debian-12}
END
  check "up of 1 + 1 with Prometheus beside it" podium up "$lab" --provider incus --no-baseline || {
    podium logs "$lab" mon monitoring-ready | tail -n 5
    podium destroy "$lab" --yes >/dev/null
    return
  }
  check "a second up changes nothing" idle "$lab"
  check "every target is up" eventually 30 all_targets "$lab" mon localhost:9090 "$cluster_jobs"$'\nnode 3'
  check "a container's memory is measured" eventually 30 measured "$lab" mon localhost:9090 'container_memory_working_set_bytes{pod=~"coredns.*"}'
  check "the nodes are known by their names" eventually 30 measured "$lab" mon localhost:9090 'kube_node_info{node="w1"}'
  check "etcd has a leader" measured "$lab" mon localhost:9090 'etcd_server_has_leader==1'

  ran_cluster "$lab"
  ran_package "$lab" mon prometheus
  token_is_kept "$lab"
  alerts_fire "$lab" mon localhost:9093
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone monitoring
}

watch_from_inside() {
  local lab=$1 prometheus=192.168.56.10:30090 alertmanager=192.168.56.10:30093
  lab k8s-basic "$lab" <<'END'
nodes: [{name: w, count: 1}]
monitoring: {place: cluster, grafana: false}
incus: {image: debian-12}
END
  check "up of 1 + 1 with monitoring as pods" podium up "$lab" --provider incus --no-baseline || {
    podium ssh "$lab" cp -- kubectl --namespace monitoring get pods -o wide
    podium destroy "$lab" --yes >/dev/null
    return
  }
  check "a second up changes nothing" idle "$lab"
  check "every target is up, from inside" eventually 30 all_targets "$lab" cp "$prometheus" "$cluster_jobs"$'\nnode 2'
  check "a container's memory is measured" eventually 30 measured "$lab" cp "$prometheus" 'container_memory_working_set_bytes{pod=~"prometheus.*"}'
  check "the nodes are measured" eventually 30 measured "$lab" cp "$prometheus" 'node_memory_MemTotal_bytes{node="w1"}'
  ran_cluster "$lab"
  podium ssh "$lab" cp -- kubectl run web --image=podium.test/podium/hello:1 --annotations=prometheus.io/scrape=true --annotations=prometheus.io/port=8080 >/dev/null
  check "a pod that asks for it becomes a target" eventually 60 measured "$lab" cp "$prometheus" 'up{job="pods",pod="web"}'
  podium ssh "$lab" cp -- kubectl delete pod web --now >/dev/null
  crash_looping "$lab" cp "$alertmanager"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-basic
}

# token_is_kept LAB: who has the token, and what it is good for.
token_is_kept() {
  local lab=$1
  check "the token is Prometheus's alone" prints '600 prometheus$' podium exec "$lab" --on mon --sudo -- stat -c '%a %U' /etc/prometheus/cluster/token
  check "it stands in no log, no state, no list of processes" token_is_hidden "$lab"
  check "it lets Prometheus read a kubelet's measurements" prints '^yes' may "$lab" get nodes --subresource=metrics
  check "and not run commands by way of a kubelet" prints '^no' may "$lab" get nodes --subresource=proxy
  check "nor read secrets" prints '^no' may "$lab" get secrets --all-namespaces
  check "nor list pods" prints '^no' may "$lab" list pods --all-namespaces
}

may() {
  local lab=$1
  shift
  podium ssh "$lab" cp -- kubectl auth can-i "$@" --as=system:serviceaccount:monitoring:prometheus || true
}

token_is_hidden() {
  local lab=$1 token
  token=$(podium exec "$lab" --on mon --sudo -- cat /etc/prometheus/cluster/token | grep -o 'eyJ.*')
  ((${#token} > 100)) || {
    echo "no token was found"
    return 1
  }
  ! grep -r -l -F -e "$token" "$lab" || return
  # The node keeps it where Prometheus reads it, and nowhere else.
  ! podium exec "$lab" --on mon --sudo -- grep -r -l -F -e "$token" /var/lib/podium /var/log /etc/systemd
}

# crash_looping LAB NODE ALERTMANAGER: trips that alert and asks Alertmanager for it, from that node.
crash_looping() {
  local lab=$1 from=$2 alertmanager=$3 begun
  begun=$(now)
  podium ssh "$lab" cp -- kubectl run crash --image=podium.test/podium/hello:1 -- http://127.0.0.1:1/ >/dev/null
  check "a pod that crashes again and again trips PodCrashLooping" eventually 150 alerted "$lab" "$from" "$alertmanager" PodCrashLooping '"pod":"crash"'
  figure "seconds until Alertmanager had it" "$(seconds $(($(now) - begun)))"
  podium ssh "$lab" cp -- kubectl delete pod crash --now >/dev/null
}

# alerts_fire LAB NODE ALERTMANAGER: the same for a pod and for a node that stops.
alerts_fire() {
  local lab=$1 from=$2 alertmanager=$3 begun
  crash_looping "$@"
  begun=$(now)
  podium halt "$lab" --node w1 >/dev/null
  check "a node that is halted trips NodeDown" eventually 120 alerted "$lab" "$from" "$alertmanager" NodeDown '"node":"w1"'
  figure "seconds from podium halt until Alertmanager had it" "$(seconds $(($(now) - begun)))"
  check "its other targets are not told of beside that" eventually 60 suppressed "$lab" "$from" "$alertmanager" TargetDown '"node":"w1"'
  check "up starts it again" podium up "$lab" --no-baseline
  begun=$(now)
  check "and the alert goes" eventually 120 calm "$lab" "$from" "$alertmanager" NodeDown
  figure "seconds from the end of podium up" "$(seconds $(($(now) - begun)))"
}

# ask LAB NODE URL: what the URL answers when it is asked from the node.
ask() { podium ssh "$1" "$2" -- curl -sf -g --max-time 10 "http://$3"; }

# all_targets LAB NODE PROMETHEUS JOBS: exactly those targets, all up.
all_targets() {
  local answer got
  answer=$(ask "$1" "$2" "$3/api/v1/targets?state=active")
  tr '{' '\n' <<<"$answer" | grep -o '"lastError":"[^"]\+"' || true
  got=$(ask "$1" "$2" "$3/api/v1/query?query=count%20by(job)(up==1)" | grep -o '"job":"[^"]*"},"value":\[[^]]*' |
    sed 's/"job":"\([^"]*\)".*"\([0-9]*\)"$/\1 \2/' | sort)
  printf 'up:\n%s\n' "$got"
  [[ $got == "$(sort <<<"$4")" ]] && ! grep -q '"health":"\(down\|unknown\)"' <<<"$answer"
}

# measured LAB NODE PROMETHEUS QUERY: the query has an answer.
measured() { prints '"metric":{' ask "$1" "$2" "$3/api/v1/query?query=${4//\"/%22}"; }

# alerted LAB NODE ALERTMANAGER NAME LABEL: Alertmanager has such an alert.
alerted() { active "$1" "$2" "$3" "$4" "active=true&inhibited=false" | grep -F -e "$5"; }

suppressed() { active "$1" "$2" "$3" "$4" "active=false&inhibited=true" | grep -F -e "$5"; }

calm() {
  local answer
  answer=$(active "$1" "$2" "$3" "$4" "active=true")
  printf '%s\n' "$answer"
  [[ $answer == '[]' ]]
}

active() { ask "$1" "$2" "$3/api/v2/alerts?filter=alertname=%22$4%22&$5"; }
