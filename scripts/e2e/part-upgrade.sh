# shellcheck shell=bash
# A real cluster of the Kubernetes before the default one is raised to the default and to the one after it, by changes of
# lab.yaml, while a Service in it is asked all the time; the first time podium is killed on the way, and the next up
# finishes it. Then a worker is taken out of lab.yaml and pruned.

: "${work:?}" "${here:?}" "${kubernetes_before:?}" "${kubernetes_default:?}" "${kubernetes_after:?}"
# shellcheck source-path=SCRIPTDIR source=part-kubernetes.sh
. "$here/part-kubernetes.sh"

run_upgrade() {
  local lab=$1/lab version
  kubernetes_packed || return 0
  for version in "$kubernetes_before" "$kubernetes_after"; do
    packed_too "$version" || return 0
  done
  check "the image that asks a Service is packed" "$here/kubernetes.sh" more probe
  upgrade_override "$kubernetes_before" 2 | lab k8s-basic "$lab"
  check "up of 1 + 2 with Kubernetes ${kubernetes_before%.*}" podium up "$lab" --provider incus --no-baseline || {
    skip "the upgrade" "up failed"
    return
  }
  check "all nodes have it" kubelets "$lab" "cp v$kubernetes_before" "w1 v$kubernetes_before" "w2 v$kubernetes_before"
  ran_cluster "$lab"
  service_in_use "$lab"

  upgrade_override "$kubernetes_after" 2 >"$lab/lab.override.yaml"
  check "a minor version cannot be skipped" fails 2 podium up "$lab"
  check "it says why" said "one minor version at a time: write version: \"${kubernetes_default%.*}\""
  check "nothing was touched" kubelets "$lab" "cp v$kubernetes_before" "w1 v$kubernetes_before" "w2 v$kubernetes_before"

  upgrade_override "$kubernetes_default" 2 >"$lab/lab.override.yaml"
  check "the upgrade to $kubernetes_default, killed while w1 is being drained" killed_in_drain "$lab"
  check "the upgrade, finished by the next up" podium up "$lab" || return 0
  check "it says what is ahead" said "upgrade of Kubernetes .*$kubernetes_before.* -> ${kubernetes_default%.*}"
  figure "the rest of the upgrade" "$(grep -o 'took [0-9.a-z]*' "$work/output" | head -n 1)"
  upgraded "$lab" "$kubernetes_default"

  upgrade_override "$kubernetes_after" 2 >"$lab/lab.override.yaml"
  check "the upgrade to $kubernetes_after" podium up "$lab" || return 0
  figure "the upgrade to $kubernetes_after" "$(grep -o 'took [0-9.a-z]*' "$work/output" | head -n 1)"
  upgraded "$lab" "$kubernetes_after"

  prune_worker "$lab"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-basic
}

# packed_too VERSION: beside the default one.
packed_too() {
  check "Kubernetes $1 is built and packed too" "$here/kubernetes.sh" also "$1" || skip "what needs Kubernetes $1" "it could not be built"
}

# upgrade_override VERSION WORKERS: lab.yaml names the minor.
upgrade_override() {
  cluster_override "$2"
  printf 'kubernetes: {version: "%s"}\n' "${1%.*}"
}

# upgraded LAB VERSION: everything has the version, and the Service has been there for all.
upgraded() {
  local lab=$1 version=$2
  check "all nodes have $version, and pods may come to them" kubelets "$lab" "cp v$version" "w1 v$version" "w2 v$version"
  check "the API has it too" prints "^Server Version: v$version" kube "$lab" version
  check "so has etcd" prints "^$(image_of "$lab" cp etcd)\$" kube "$lab" --namespace kube-system get pod etcd-cp -o 'jsonpath={.spec.containers[0].image}{"\n"}'
  check "the pause image is that of the new version" prints "$(image_of "$lab" cp pause)" podium exec "$lab" --on w1 -- grep pause: /etc/containerd/config.toml
  check "static pods are Ready when up says so" static_pods_ready "$lab"
  check "the Service has answered all the time" answered "$lab"
  figure "a Service during the upgrade, asked on each node (longest: ms)" "$(paste -s -d ';' "$work/output")"
  check "all system pods run" eventually 60 all_pods_run "$lab"
  check "a second up changes nothing" idle "$lab"
  ran_cluster "$lab"
}

# image_of LAB NODE NAME: which etcd, pause, ... the kubeadm of the node asks for. Without one, what no output has.
# shellcheck disable=SC2016 # expanded on the node
image_of() {
  podium ssh "$1" "$2" -- 'kubeadm config images list --kubernetes-version "$(kubeadm version --output short)"' | grep "/$3:" ||
    echo "no image of $3"
}

# kubelets LAB "NAME VERSION"...: exactly these nodes, Ready, not cordoned.
kubelets() { kubelets_on "$1" cp "${@:2}"; }

# kubelets_on LAB NODE "NAME VERSION"...: the same, asked on that control plane.
kubelets_on() {
  local lab=$1 node=$2 want got
  shift 2
  want=$(printf '%s True \n' "$@" | sort)
  got=$(podium ssh "$lab" "$node" -- kubectl get nodes -o \
    'jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} {.status.conditions[?(@.type=="Ready")].status} {.spec.unschedulable}{"\n"}{end}' | sort)
  [[ $got == "$want" ]] || {
    printf 'got:\n%s\nwant:\n%s\n' "$got" "$want"
    return 1
  }
}

# service_in_use LAB: a Deployment that survives one node less, its Service, and a pod on each node that asks it.
service_in_use() {
  local lab=$1
  podium ssh "$lab" cp -- kubectl apply -f - >/dev/null <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints:
        - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      containers:
        - name: hello
          image: podium.test/podium/hello:1
          readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
          lifecycle: {preStop: {sleep: {seconds: 5}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.100.100, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
END
  check "a deployment of 4 rolls out" kube "$lab" rollout status deployment/web --timeout=120s
  podium ssh "$lab" cp -- kubectl apply -f - >/dev/null <<'END'
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: probe}
spec:
  selector: {matchLabels: {app: probe}}
  template:
    metadata: {labels: {app: probe}}
    spec:
      tolerations: [{operator: Exists}]
      terminationGracePeriodSeconds: 0
      containers: [{name: probe, image: podium.test/podium/probe:1, args: ["http://10.96.100.100/"]}]
END
  check "a pod on every node asks its Service" kube "$lab" rollout status daemonset/probe --timeout=120s
}

# killed_in_drain LAB: up gets SIGKILL while the pods of w1 move away.
killed_in_drain() {
  local lab=$1 pid
  "$here/nodes.sh" exec "$work/podium" up "$lab" --verbose >"$work/killed.log" 2>&1 &
  pid=$!
  eventually 900 drains_or_ended "$pid"
  if ! grep -q 'node/w1 cordoned' "$work/killed.log"; then
    tail -n 30 "$work/killed.log"
    return 1
  fi
  kill -KILL "$pid"
  wait "$pid" || true
  # The new kubelet may be starting the control plane's pods once more at this moment.
  eventually 60 prints '^w1 +Ready,SchedulingDisabled' kube "$lab" get nodes
}

# drains_or_ended PID: whether it has come to where it is to be killed, or will never come there.
drains_or_ended() { grep -q 'node/w1 cordoned' "$work/killed.log" || ! kill -0 "$1" 2>/dev/null; }

# answered LAB: what the pods that asked have counted; of a hundred requests not one may have failed on a node.
answered() {
  local pod line asked failed bad=0
  for pod in $(kube "$1" get pods -l app=probe -o 'jsonpath={.items[*].metadata.name}'); do
    line=$(kube "$1" logs "$pod" --tail=1000000 | grep ^asked= | tail -n 1)
    echo "$(kube "$1" get pod "$pod" -o 'jsonpath={.spec.nodeName}'): $line"
    asked=${line#asked=} failed=${line#*failed=}
    asked=${asked%% *} failed=${failed%% *}
    ((asked > 100 && failed * 100 < asked)) || bad=1
  done
  ((bad == 0))
}

prune_worker() {
  local lab=$1
  local version=$kubernetes_after
  upgrade_override "$version" 1 >"$lab/lab.override.yaml"
  check "up without w2 leaves it alone" podium up "$lab"
  check "it says how to remove it" said '--prune'
  check "it is still there" kubelets "$lab" "cp v$version" "w1 v$version" "w2 v$version"
  check "without a yes nothing is pruned" fails 2 podium up "$lab" --prune
  check "up --prune removes it" podium up "$lab" --prune --yes
  check "it has left the cluster" kubelets "$lab" "cp v$version" "w1 v$version"
  check "its machine is gone" fails 1 incus info k8s-basic-w2
  check "the deployment is whole again" kube "$lab" rollout status deployment/web --timeout=60s
}
