# shellcheck shell=bash
# drain.sh: moves the pods of a node away while something is done to it, and lets them come back. Needs step.sh, and
# kubectl with the right to do so.

# Who finds a node cordoned cannot know by whom: the node says it itself, from before it is cordoned until it is not.
cordoned=podium/cordoned

# is_cordoned NODE; cordoned_by_podium NODE.
is_cordoned() { [[ $(kubectl get node "$1" --output 'jsonpath={.spec.unschedulable}') == true ]]; }
cordoned_by_podium() { [[ -n $(kubectl get node "$1" --output "jsonpath={.metadata.annotations.$cordoned}") ]]; }

# drain NODE: no pod but those of daemon sets and static ones is there after it. Pods that nobody would make again stay,
# and so does the node as it was: what a student has put there is not for podium to delete.
drain() {
  local node=$1
  is_cordoned "$node" || kubectl annotate --overwrite node "$node" "$cordoned=yes" >/dev/null
  if ! kubectl drain "$node" --ignore-daemonsets --delete-emptydir-data --timeout=300s; then
    uncordon "$node" || true
    die "the pods of $node cannot be moved away" \
      "see the lines above: a pod without a controller has to be deleted by hand, a PodDisruptionBudget must let one go; then podium up again"
  fi
}

# uncordon NODE: pods may come back, unless somebody else had cordoned the node.
uncordon() {
  cordoned_by_podium "$1" || return 0
  kubectl uncordon "$1"
  kubectl annotate node "$1" "$cordoned-" >/dev/null
}
