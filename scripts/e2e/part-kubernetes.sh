# shellcheck shell=bash
# The built-in lab k8s-basic, unchanged, as a real cluster of the default Kubernetes: its override names the image and how
# many workers. Everything is asked of the real API.

: "${work:?}" "${kubernetes_default:?}"

run_kubernetes() {
  local lab=$1/lab
  kubernetes_packed || return 0
  mirror_checked
  cluster_override 1 | lab k8s-basic "$lab"
  check "up of 1 + 1 from nothing" podium up "$lab" --provider incus -o json || {
    skip "the cluster" "up failed"
    return
  }
  figure "up of 1 + 1" "$(makespan "$work/output")"
  check "static pods are Ready when up says so" static_pods_ready "$lab"
  check "all system pods run" eventually 60 all_pods_run "$lab"
  goes_on_with_cgroup_v1 "$lab"
  check "all nodes are Ready with their private addresses" nodes_ready "$lab" "cp 192.168.56.10" "w1 192.168.56.11"
  check "a second up changes nothing" idle "$lab"
  check "status" podium status "$lab"

  ran_cluster "$lab"
  workload "$lab"
  reboot_node "$lab"

  kube "$lab" create configmap after-ready >/dev/null
  check "reset brings all nodes back to Ready" reset_to_ready "$lab"
  check "what came after the first good state is gone" fails 1 kube "$lab" get configmap after-ready
  check "system pods run after reset" eventually 60 all_pods_run "$lab"

  add_worker "$lab"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-basic
}

# mirror_checked: the mirror of this run has some versions of Kubernetes, and the catalogue knows more.
mirror_checked() {
  check "catalog check of a mirror finds what it lacks" fails 1 podium catalog check kubernetes containerd flannel --verbose
  check "it names it" said '^rotten +kubernetes 1.33, packages \(mirror\): is gone: the server says 404'
  check "what is there is good" said "^good +kubernetes ${kubernetes_default%.*}, packages \(mirror\)"
  check "the mirror's own key too" said "^good +key of kubernetes .*signed by the mirror's own key"
}

# goes_on_with_cgroup_v1 LAB: the kubelet of the default Kubernetes does not start there by itself.
goes_on_with_cgroup_v1() {
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    skip "Kubernetes with cgroup v1" "this computer has cgroup v2"
    return
  fi
  check "the log says that the host has cgroup v1" prints 'the host of this container runs cgroup v1' podium logs "$1" w1 kernel
}

# cluster_override WORKERS: what this computer needs of the lab.
cluster_override() { printf 'nodes: [{name: w, count: %s}]\nincus: {image: debian-12}\n' "$1"; }

kube() {
  local lab=$1
  shift
  podium ssh "$lab" cp -- kubectl "$@"
}

# nodes_ready LAB "NAME ADDRESS"...: exactly these nodes, all Ready.
nodes_ready() {
  local lab=$1 want got
  shift
  want=$(printf '%s True\n' "$@" | sort)
  got=$(kube "$lab" get nodes -o \
    'jsonpath={range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | sort)
  [[ $got == "$want" ]] || {
    printf 'got:\n%s\nwant:\n%s\n' "$got" "$want"
    return 1
  }
}

# static_pods_ready LAB: now, without waiting.
static_pods_ready() {
  local pods
  pods=$(kube "$1" --namespace kube-system get pods --selector tier=control-plane -o \
    'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[*].ready}{"\n"}{end}')
  printf '%s\n' "$pods"
  [[ $(grep -c ' true$' <<<"$pods") -ge 3 ]] && ! grep -q -v ' true$' <<<"$pods"
}

all_pods_run() {
  local pods
  pods=$(kube "$1" get pods --all-namespaces -o \
    'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.phase} {range .status.containerStatuses[*]}{.ready}{end}{"\n"}{end}')
  printf '%s\n' "$pods"
  [[ $(grep -c . <<<"$pods") -ge 8 ]] && ! grep -v -E ' (Running (true)+|Succeeded.*)$' <<<"$pods"
}

workload() {
  local lab=$1
  # A DaemonSet on every node, control plane included, so that two pods are on two nodes.
  podium ssh "$lab" cp -- kubectl apply -f - >/dev/null <<'END'
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: each}
spec:
  selector: {matchLabels: {app: each}}
  template:
    metadata: {labels: {app: each}}
    spec:
      tolerations: [{operator: Exists}]
      terminationGracePeriodSeconds: 0
      containers: [{name: hello, image: podium.test/podium/hello:1}]
---
apiVersion: v1
kind: Service
metadata: {name: each}
spec: {selector: {app: each}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: hello, image: podium.test/podium/hello:1}]
END
  check "a deployment of 3 rolls out" kube "$lab" rollout status deployment/web --timeout=60s
  check "a pod on every node" kube "$lab" rollout status daemonset/each --timeout=60s
  kube "$lab" delete pods -l app=web --wait=false >/dev/null
  check "deleted pods are replaced" eventually 60 prints '^3$' kube "$lab" get deployment web -o 'jsonpath={.status.readyReplicas}'
  check "pods on two nodes reach each other" pods_reach_each_other "$lab"
  check "a Service is reached by its name" eventually 20 prints '^hello from each-' kube "$lab" exec "$(pod_on "$lab" w1)" -- /hello http://each.default.svc.cluster.local/
}

# pod_on LAB NODE: the DaemonSet's pod there.
pod_on() { kube "$1" get pods -l app=each --field-selector "spec.nodeName=$2" -o 'jsonpath={.items[0].metadata.name}'; }

pods_reach_each_other() {
  local lab=$1 from to address
  for pair in "cp w1" "w1 cp"; do
    from=$(pod_on "$lab" "${pair% *}")
    to=$(pod_on "$lab" "${pair#* }")
    address=$(kube "$lab" get pod "$to" -o 'jsonpath={.status.podIP}')
    prints "^hello from $to\$" kube "$lab" exec "$from" -- /hello "http://$address:8080/" || return
  done
}

reboot_node() {
  local lab=$1
  podium exec "$lab" --on w1 --sudo -- 'systemd-run --quiet --on-active=1 systemctl reboot' >/dev/null
  sleep 2
  check "a node that reboots comes back Ready" eventually 90 rebooted_ready "$lab"
  check "its pod runs again" kube "$lab" rollout status daemonset/each --timeout=60s
}

# rebooted_ready LAB: w1 has been up for less than a minute, and the cluster knows that it is Ready since.
rebooted_ready() {
  # shellcheck disable=SC2016 # expanded on the node
  podium exec "$1" --on w1 -- 'test "$(stat -c %Y /proc/1)" -gt "$(($(date +%s) - 90))" && systemctl is-active --quiet kubelet' &&
    nodes_ready "$1" "cp 192.168.56.10" "w1 192.168.56.11"
}

reset_to_ready() {
  podium reset "$1" --yes && eventually 60 nodes_ready "$1" "cp 192.168.56.10" "w1 192.168.56.11"
}

add_worker() {
  local lab=$1
  cluster_override 2 >"$lab/lab.override.yaml"
  check "up after a worker was added" podium up "$lab" -o json
  check "only that one was worked on" only_worked_on w2
  check "all three nodes are Ready" nodes_ready "$lab" "cp 192.168.56.10" "w1 192.168.56.11" "w2 192.168.56.12"
}

# only_worked_on NODE: in the last output, no step was done on another node; looking whether the cluster is ready counts
# as none, nor does the node list that every node keeps.
only_worked_on() {
  local others
  others=$(grep '"kind":"task-done"' "$work/output" | grep -v -e "\"node\":\"$1\"" -e '"step":"boot"' -e '"step":"hosts"' -e '"step":"kube-ready"' || true)
  printf '%s\n' "$others" | cut -c 1-200
  [[ -z $others ]] && grep -q "\"kind\":\"task-done\".*\"node\":\"$1\".*\"step\":\"kubeadm-join\"" "$work/output"
}
