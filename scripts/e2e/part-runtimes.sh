# shellcheck shell=bash
# The other two container runtimes, each under a real cluster of 1 + 1: the Docker engine (Debian's) with cri-dockerd, and
# CRI-O, both compiled from their modules; CRI-O under the newest Kubernetes for
# which the module proxy has one. What the runs of clusters share is in part-kubernetes.sh.
#
# PODIUM_E2E_RUNTIMES   which of them (default: docker cri-o)

: "${work:?}" "${here:?}" "${host:?}" "${kubernetes_cri_o:?}"

run_runtimes() {
  # shellcheck source=/dev/null
  . "$here/part-kubernetes.sh"
  check "Kubernetes is built and packed" "$here/kubernetes.sh" pack || return
  check "crictl and cri-dockerd are built and packed" "$here/kubernetes.sh" more cri-tools cri-dockerd || return
  know_mirror
  local runtime
  for runtime in ${PODIUM_E2E_RUNTIMES:-docker cri-o}; do
    case $runtime in
      docker) one_runtime "$1/docker" docker '^docker://2[0-9]\.' ;;
      cri-o)
        check "Kubernetes $kubernetes_cri_o and its CRI-O are built and packed too" "$here/kubernetes.sh" also "$kubernetes_cri_o" cri-tools cri-o || return
        one_runtime "$1/cri-o" cri-o "^cri-o://${kubernetes_cri_o%.*}\\."
        ;;
    esac
  done
}

# one_runtime LAB RUNTIME VERSION: everything about one of them; VERSION is a pattern of what nodes report.
one_runtime() {
  local lab=$1 runtime=$2 version=$3
  runtime_override "$runtime" | lab k8s-basic "$lab"
  check "$runtime: up of 1 + 1 from nothing" podium up "$lab" --provider incus || {
    skip "$runtime: the cluster" "up failed"
    return
  }
  tail -n 24 "$work/output"
  check "$runtime: all nodes are Ready with their private addresses" nodes_ready "$lab" "cp 192.168.56.10" "w1 192.168.56.11"
  check "$runtime: it is what the nodes report" reported "$lab" "$version"
  check "$runtime: all system pods run" eventually 60 all_pods_run "$lab"
  check "$runtime: a second up changes nothing" idle "$lab"
  check "$runtime: every script runs again" podium up "$lab" --force 'cp/*' --force 'w1/*'
  check "$runtime: and has nothing to change" unchanged "$lab"

  ran_cluster "$lab"
  runtime_workload "$lab" "$runtime"
  check "$runtime: a pod on every node" kube "$lab" rollout status daemonset/each --timeout=90s
  check "$runtime: pods on two nodes reach each other" pods_reach_each_other "$lab"
  check "$runtime: a Service is reached by its name" eventually 20 \
    prints '^hello from each-' kube "$lab" exec "$(pod_on "$lab" w1)" -- /hello http://each.default.svc.cluster.local/
  reboot_node "$lab"

  sed -i 's,^runtime:.*,runtime: containerd,' "$lab/lab.override.yaml"
  check "$runtime: another runtime is refused while the cluster is there" fails 1 podium up "$lab"
  check "$runtime: and the reason is said" said "is in a cluster with the runtime $runtime, and lab.yaml asks for runtime: containerd"
  check "$runtime: all nodes are Ready as before" nodes_ready "$lab" "cp 192.168.56.10" "w1 192.168.56.11"
  check "$runtime: destroy" podium destroy "$lab" --yes
  check "$runtime: nothing is left behind" gone k8s-basic
}

# runtime_override RUNTIME: what this computer needs of the lab. Docker has the images that podium has fetched, by the
# names that podium knows: the flannel that could be built names another one of its own.
runtime_override() {
  local kubernetes="cni: bridge" source=distro
  [[ $1 != cri-o ]] || kubernetes="version: \"${kubernetes_cri_o%.*}\"" source=upstream
  cat <<END
nodes: [{name: w, count: 1}]
kubernetes: {$kubernetes}
runtime: $1
source: $source
incus: {image: debian-12}
mirrors: {registries: {podium.test: "http://$host:5000"}}
END
}

# reported LAB PATTERN: the runtime that each of the two nodes reports.
reported() {
  local versions
  versions=$(kube "$1" get nodes -o 'jsonpath={range .items[*]}{.status.nodeInfo.containerRuntimeVersion}{"\n"}{end}')
  printf '%s\n' "$versions"
  [[ $(grep -c -E "$2" <<<"$versions") == 2 ]]
}

# unchanged LAB: no log of the last run says that something was written, installed or restarted. Not cri-dockerd's: the
# version that could be built is not the one that podium asks for, and is put there again.
unchanged() {
  ! grep -r --exclude=cri-dockerd.log -E '^(writing|installing|starting|restarting|removing|pulling|keeping|taking) ' "$1/.podium/logs"
}

# runtime_workload LAB RUNTIME: a pod on every node, and a Service for them. Docker knows no mirror of podium.test: it
# gets the image by the mirror's own name.
runtime_workload() {
  local registry=podium.test
  [[ $2 != docker ]] || registry=$host:5000
  podium ssh "$1" cp -- kubectl apply -f - >/dev/null <<END
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
      containers: [{name: hello, image: "$registry/podium/hello:1"}]
---
apiVersion: v1
kind: Service
metadata: {name: each}
spec: {selector: {app: each}, ports: [{port: 80, targetPort: 8080}]}
END
}
