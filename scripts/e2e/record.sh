# shellcheck shell=bash
# record.sh: what a run has seen, for the tables of scripts/README.md: a line of JSON for each component, by the version
# that the node reports, once its part has passed. go run ./scripts/record copies them into the repository.
#
# PODIUM_E2E_RECORD   the file they go to (default: record.jsonl in the cache)

: "${work:?}"

# ran COMPONENT VERSION [HOW]: this part has run it; how: real, or stand-in.
ran() { printf '%s %s %s\n' "$1" "${2#v}" "${3:-real}" >>"$work/ran"; }

# ran_cluster LAB [CONTROL-PLANE]: what its nodes and its pods say they are.
ran_cluster() {
  local lab=$1 node=${2:-cp} etcd image name
  while read -r name image; do ran "$name" "$image"; done < <(
    podium ssh "$lab" "$node" -- kubectl get nodes -o \
      'jsonpath={range .items[*]}kubernetes {.status.nodeInfo.kubeletVersion}{"\n"}{.status.nodeInfo.containerRuntimeVersion}{"\n"}{end}' | sed 's,://, ,' | sort -u
    # Every pod has one, which no list of pods shows.
    podium ssh "$lab" "$node" -- kubectl get nodes -o 'jsonpath={range .items[*].status.images[*].names[*]}{@}{"\n"}{end}' | sed -n 's,^.*/pause:,pause ,p' | tail -n 1
    podium ssh "$lab" "$node" -- kubectl get pods --all-namespaces -o 'jsonpath={range .items[*].status.containerStatuses[*]}{.image}{"\n"}{end}' |
      sed -n -E -e 's,^.*/metallb/(controller|speaker):,metallb ,p' \
        -e 's,^.*/(coredns|flannel|metrics-server|traefik|prometheus|alertmanager|node-exporter|kube-state-metrics):,\1 ,p' | sort -u
  )
  # By the program itself: a mirror may serve a later patch by the name of another.
  etcd=$(podium ssh "$lab" "$node" -- "kubectl --namespace kube-system exec etcd-$node -- etcd --version" 2>/dev/null | sed -n 's/^etcd Version: //p')
  [[ -z $etcd ]] || ran etcd "$etcd"
}

# ran_package LAB NODE COMPONENT [PACKAGE]: what is installed there from the distribution.
ran_package() { ran "$3" "$(podium ssh "$1" "$2" -- "dpkg-query --show --showformat '\${Version}' ${4:-$3}")"; }

# record PART SECONDS HOST: writes what has been noted since, and forgets it.
record() {
  local part=$1 seconds=$2 host=$3 file=${PODIUM_E2E_RECORD:-${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}/record.jsonl} name version how
  [[ -f $work/ran ]] || return 0
  mkdir -p "$(dirname "$file")"
  sort -u "$work/ran" | while read -r name version how; do
    printf '{"component":"%s","version":"%s","how":"%s","host":"%s","part":"%s","date":"%s","seconds":%s}\n' \
      "$name" "$version" "$how" "$host" "$part" "$(date -u +%F)" "$seconds"
  done >>"$file"
  rm -f "$work/ran"
}
