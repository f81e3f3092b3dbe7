# shellcheck shell=bash
# The built-in lab docker on two nodes, from the distribution's packages: every verb once.

: "${work:?}"

run_docker() {
  local lab=$1/lab name=docker
  lab docker "$lab" <<'END'
nodes: [{name: box2, roles: [docker], cpus: 1, memory: 1GiB}]
source: distro
incus: {image: debian-12}
END
  check "up from nothing" podium up "$lab" --provider incus || {
    skip "the other verbs" "up failed"
    return
  }
  tail -n 22 "$work/output"
  check "a second up changes nothing" idle "$lab"
  ran docker "$(podium ssh "$lab" box2 -- "sudo docker version --format '{{.Server.Version}}'")"
  check "a container runs, its image by the registry mirror" prints 'box2 \| hello from' podium exec "$lab" -- \
    'docker run --rm --detach --name hello --publish 8080:8080 podium/hello:1 >/dev/null && sleep 0.5 && curl -sf http://localhost:8080/'
  check "it can be reached from the other node" prints 'hello from' podium ssh "$lab" box -- curl -sf http://box2:8080/
  check "exec fails where the command fails, and says where" fails 1 podium exec "$lab" --on box2 -- false
  check "ssh passes input, output and exit code" fails 7 podium ssh "$lab" box -- 'cat >/dev/null; exit 7'

  mkdir "$1/tree"
  head -c 3000000 /dev/urandom >"$1/tree/data"
  check "copy a folder to all nodes" podium -C "$lab" copy "$1/tree" :/tmp/
  check "copy it back from all nodes" podium -C "$lab" copy :/tmp/tree "$1/back-{node}"
  check "what came back is the same" cmp "$1/tree/data" "$1/back-box2/data"

  check "status: both run, all services work" prints '"machine": ?"running"' podium status "$lab" -o json
  check "status says no service has failed" prints 'box2 +running +ok' podium status "$lab"

  podium exec "$lab" --sudo -- touch /var/lib/after-ready >/dev/null
  check "snapshot save" podium snapshot save "$lab" exam
  podium exec "$lab" --sudo -- touch /var/lib/after-exam >/dev/null
  check "snapshot list" prints exam podium snapshot list "$lab"
  check "snapshot restore" podium snapshot restore "$lab" exam --yes
  check "what was before the snapshot is there, what came after is gone" podium exec "$lab" -- \
    'test -e /var/lib/after-ready && ! test -e /var/lib/after-exam'
  check "reset" podium reset "$lab" --yes
  check "the first good state is back" podium exec "$lab" -- 'test ! -e /var/lib/after-ready && docker info >/dev/null'

  check "halt" podium halt "$lab"
  check "both are stopped" prints 'box2 +stopped' podium status "$lab"
  check "up after halt" podium up "$lab"
  check "Docker works again" podium exec "$lab" -- docker info
  mv "$lab/.podium" "$1/podium-lost"
  check "destroy finds the machines of a lab whose folder .podium was lost" podium destroy "$lab" --provider incus --yes
  check "nothing is left behind" gone "$name"
}
