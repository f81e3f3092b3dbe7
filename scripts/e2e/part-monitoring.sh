# shellcheck shell=bash
# Prometheus without Grafana, from the distribution's packages, watching two real nodes.

run_monitoring() {
  local lab=$1/lab
  lab monitoring "$lab" <<<'incus: {image: debian-12}'
  check "up from nothing" podium up "$lab" --provider incus || {
    skip "what Prometheus sees" "up failed"
    return
  }
  check "a second up changes nothing" idle "$lab"
  check "Prometheus has every node as a target that is up" eventually 30 targets_up "$lab" 2
  ran_package "$lab" mon prometheus
  check "it has measurements of the other node" eventually 30 prints '"node":"box"' \
    podium ssh "$lab" mon -- curl -sf 'http://localhost:9090/api/v1/query?query=node_memory_MemTotal_bytes'
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone watch
}

# targets_up LAB N: N targets of node_exporter are up, and none is down.
targets_up() {
  local answer
  answer=$(podium ssh "$1" mon -- curl -sf http://localhost:9090/api/v1/targets)
  echo "$answer" | tr '{' '\n' | grep -E '"health"|lastError' | cut -c 1-300
  (($(grep -o '"health":"up"' <<<"$answer" | wc -l) >= $2)) && ! grep -q '"health":"down"' <<<"$answer"
}
