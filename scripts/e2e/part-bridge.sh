# shellcheck shell=bash
# The built-in lab k8s-basic with cni: bridge: no daemon, no download, a bridge on each node and a route per peer. What it
# asks of the cluster is what part-kubernetes.sh asks.

: "${work:?}" "${here:?}"
# shellcheck source-path=SCRIPTDIR source=part-kubernetes.sh
. "$here/part-kubernetes.sh"

run_bridge() {
  local lab=$1/lab
  kubernetes_packed || return 0
  lab k8s-basic "$lab" <<'END'
name: bridge
nodes: [{name: w, count: 1}]
kubernetes: {cni: bridge}
incus: {image: debian-12}
END
  check "up of 1 + 1 from nothing" podium up "$lab" --provider incus --no-baseline || {
    skip "the cluster" "up failed"
    return
  }
  tail -n 26 "$work/output"
  check "all nodes are Ready with their private addresses" nodes_ready "$lab" "cp 192.168.56.10" "w1 192.168.56.11"
  check "all system pods run" eventually 60 all_pods_run "$lab"
  check "a second up changes nothing" idle "$lab" --no-baseline
  check "each node has a route to the other's pods" prints 'cp \| 10\.244\.[0-9]+\.0/24 via 192\.168\.56\.11 .*' podium exec "$lab" -- ip route
  ran_cluster "$lab"
  workload "$lab"
  reboot_node "$lab"
  check "pods on two nodes reach each other after a reboot" eventually 30 pods_reach_each_other "$lab"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone bridge
}
