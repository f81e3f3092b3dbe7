#!/usr/bin/env bash
# exercises.sh: carries the exercises of labs through, on real nodes: each does not hold before, no wrong attempt passes, the
# solution does. Prints exercise, seconds and verdict.
#
# usage: exercises.sh [LAB[/EXERCISE]...]     make each lab, prove its exercises, remove it; without one: every lab that can
#                                             be made here
#        exercises.sh keep LAB[/EXERCISE]...  the same, and leave the lab: a second call takes it as it is, with the
#                                             exercises as they are now. Seconds, where the first one took minutes
#        exercises.sh podium ARGUMENTS...     podium among the nodes that were kept, such as: podium -C /tmp/.../docker exec -- ...
#        exercises.sh down                    end what was kept
#
# Needs what run.sh needs. PODIUM_E2E_ID names this installation (default: exercises): two with different names do not meet.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PODIUM_E2E_ID=${PODIUM_E2E_ID:-exercises}
kept=/tmp/podium-exercises-$PODIUM_E2E_ID # labs, podium, the mirror's process
mkdir -p "$kept"

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
inside() { "$here/nodes.sh" exec "$@"; }

# Labs that can be made of what is to be had here.
labs() {
  local folder
  for folder in "$here"/../../labs/*/exercises; do
    folder=${folder%/exercises}
    settings "${folder##*/}" >/dev/null 2>&1 && echo "${folder##*/}"
  done
}

# settings LAB: the override with which a lab can be made here.
settings() {
  case $1 in
    docker | containers) printf 'source: distro\nincus: {image: debian-12}\n' ;;
    k8s-* | msa) cluster_settings ;;
    *) return 1 ;;
  esac
}

cluster_settings() {
  # shellcheck source-path=SCRIPTDIR source=versions.sh
  . "$here/versions.sh"
  # shellcheck disable=SC2154 # versions.sh
  printf 'incus: {image: debian-12}\nkubernetes: {version: "%s"}\n' "$kubernetes_default"
}

# ready: nodes can be made, and the mirror answers.
ready() {
  go -C "$here/../.." build -o "$kept/podium" ./cmd/podium
  "$here/nodes.sh" up
  "$here/kubernetes.sh" more hello course
  [[ $* != *k8s-* && $* != *msa* ]] || "$here/kubernetes.sh" pack
  local at
  at=$(inside printenv PODIUM_E2E_HOST):5000
  if ! inside curl -sf -o /dev/null "http://$at/"; then
    inside setsid "$here/kubernetes.sh" serve "$at" >"$kept/mirror.log" 2>&1 </dev/null &
    echo $! >"$kept/mirror"
    local try
    for ((try = 0; try < 100; try++)); do
      ! inside curl -s -o /dev/null "http://$at/" || break
      sleep 0.3
    done
  fi
  eval "$("$here/kubernetes.sh" env "$at")"
}

# prove LAB [EXERCISE...]: in the lab that is there, or one that is made.
prove() {
  local lab=$1 folder=$kept/$1
  shift
  if [[ ! -d $folder/.podium ]]; then
    rm -rf "$folder"
    cp -r "$here/../../labs/$lab" "$folder"
    settings "$lab" >"$folder/lab.override.yaml"
    say "making $lab"
    inside "$kept/podium" up "$folder" --provider incus >"$folder.up" 2>&1 || {
      tail -n 30 "$folder.up"
      return 1
    }
  fi
  rm -rf "$folder/exercises"
  cp -r "$here/../../labs/$lab/exercises" "$folder/exercises"
  inside "$kept/podium" validate "$folder"
  inside "$kept/podium" exercise prove "$folder" "$@" --yes
}

remove() { [[ ! -d $kept/$1/.podium ]] || inside "$kept/podium" destroy "$kept/$1" --yes >/dev/null; }

down() {
  "$here/nodes.sh" down
  [[ ! -f $kept/mirror ]] || kill "$(cat "$kept/mirror")" 2>/dev/null || true
  rm -rf "$kept"
}

keep=no
case ${1:-} in
  down)
    down
    exit
    ;;
  podium)
    shift
    exec "$here/nodes.sh" exec "$kept/podium" "$@"
    ;;
  keep)
    keep=yes
    shift
    ;;
esac
names=("$@")
((${#names[@]})) || mapfile -t names < <(labs)
[[ $keep == yes ]] || trap down EXIT
ready "${names[@]}"
code=0
done_labs=' '
for name in "${names[@]}"; do
  lab=${name%%/*}
  [[ $done_labs != *" $lab "* ]] || continue
  done_labs+="$lab "
  exercises=()
  for other in "${names[@]}"; do
    [[ $other != "$lab"/* ]] || exercises+=("${other#*/}")
  done
  prove "$lab" "${exercises[@]}" || code=1
  [[ $keep == yes ]] || remove "$lab"
done
exit "$code"
