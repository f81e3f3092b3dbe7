# shellcheck shell=bash
# Ten plain nodes with containerd's sibling, the Docker engine: how their work overlaps on this computer.

: "${work:?}"

run_ten() {
  local lab=$1/lab
  lab docker "$lab" <<'END'
name: ten
nodes:
  - {name: box, cpus: 1, memory: 512MiB}
  - {name: n, count: 9, roles: [docker], cpus: 1, memory: 512MiB}
source: distro
incus: {image: debian-12}
END
  check "up of ten nodes from nothing" podium up "$lab" --provider incus || return
  tail -n 24 "$work/output"
  check "a second up changes nothing" idle "$lab"
  check "exec on ten nodes" podium exec "$lab" -- docker info
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone ten
}
