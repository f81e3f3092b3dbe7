# shellcheck shell=bash
# drain.sh: moves the pods of a node away while something is done to it, and lets them come back. Needs step.sh and
# api.sh, and kubectl with the right to do so.

# Who finds a node cordoned cannot know by whom: the node says it itself, from before it is cordoned until it is not.
cordoned=podium/cordoned

# drain NODE: no pod but those of daemon sets and static ones is there after it. Pods that nobody would make again stay,
# and so does the node as it was: what a student has put there is not for podium to delete.
drain() {
  local node=$1 unschedulable
  unschedulable=$(through_restart kubectl get node "$node" --output 'jsonpath={.spec.unschedulable}')
  [[ $unschedulable == true ]] || through_restart kubectl annotate --overwrite node "$node" "$cordoned=yes" >/dev/null
  if ! through_restart kubectl drain "$node" --ignore-daemonsets --delete-emptydir-data --timeout=300s; then
    uncordon "$node" || true
    die "the pods of $node cannot be moved away" \
      "see the lines above: a pod without a controller has to be deleted by hand, a PodDisruptionBudget must let one go; then podium up again"
  fi
}

# uncordon NODE: pods may come back, unless somebody else had cordoned the node.
uncordon() {
  local ours
  ours=$(through_restart kubectl get node "$1" --output "jsonpath={.metadata.annotations.$cordoned}") || return
  [[ -n $ours ]] || return 0
  through_restart kubectl uncordon "$1"
  through_restart kubectl annotate node "$1" "$cordoned-" >/dev/null
}
