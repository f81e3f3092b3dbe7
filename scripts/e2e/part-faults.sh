# shellcheck shell=bash
# What goes wrong in class: podium is killed, a machine is switched off, the package system is busy, a disk is full, names
# do not resolve. Each time the message must help, and up again must finish.

: "${work:?}" "${here:?}"

run_faults() {
  local lab=$1/lab
  lab docker "$lab" <<'END'
name: faults
nodes:
  - {name: box, disk: 3GiB}
  - {name: box2, roles: [docker], cpus: 1, memory: 1GiB, disk: 3GiB}
source: distro
incus: {image: debian-12}
END
  RANDOM=${PODIUM_E2E_SEED:-$$}
  figure "seed of the random moments" "${PODIUM_E2E_SEED:-$$}"
  killed_at_random "$lab"
  machine_stops "$lab"
  package_lock "$lab"
  disk_full "$lab"
  names_fail "$lab"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone faults
}

# start_up LAB: runs up in the background; its process is $running.
start_up() {
  "$here/nodes.sh" exec "$work/podium" up "$1" --provider incus >"$work/output.up" 2>&1 </dev/null &
  running=$!
}

killed_at_random() {
  local lab=$1 try wait
  for try in 1 2 3; do
    wait=$((RANDOM % 12000))
    start_up "$lab"
    sleep "$(seconds "$wait" | tr -d s)"
    kill -KILL "$running" 2>/dev/null || true
    wait "$running" 2>/dev/null || true
    figure "killed (SIGKILL)" "after $(seconds "$wait"), at: $(tail -n 1 "$work/output.up" | cut -c 10-80)"
  done
  check "up finishes what $try killed runs began" podium up "$lab" --provider incus
  check "Docker works" podium exec "$lab" -- docker info
  check "no script runs twice or goes on by itself" podium exec "$lab" --sudo -- '! pgrep -f /var/lib/podium/scripts'
  check "a further up changes nothing" idle "$lab"
}

machine_stops() {
  local lab=$1
  podium destroy "$lab" --yes >/dev/null 2>&1
  start_up "$lab"
  eventually 60 grep -q 'box2/docker *started' "$work/output.up" || true
  sleep 2
  incus stop --force faults-box2
  check "up fails when a machine is switched off in the middle" fails 1 wait "$running"
  check "it says which one" grep -q 'FAILED box2' "$work/output.up"
  check "the other one is done" grep -q 'box/docker *done' "$work/output.up"
  check "up again starts it and finishes" podium up "$lab"
  check "Docker works" podium exec "$lab" -- docker info
}

package_lock() {
  local lab=$1
  podium exec "$lab" --sudo -- 'apt-get -qq remove -y docker.io >/dev/null 2>&1; rm -f /var/lib/podium/steps/docker' >/dev/null
  podium exec "$lab" --on box --sudo -- \
    'setsid flock /var/lib/dpkg/lock-frontend sleep 12 >/dev/null 2>&1 </dev/null & sleep 0.5' >/dev/null
  check "up waits for somebody else's package lock" podium up "$lab"
  check "Docker works" podium exec "$lab" -- docker info
}

disk_full() {
  local lab=$1
  podium exec "$lab" --on box2 --sudo -- 'apt-get -qq remove -y docker.io containerd runc >/dev/null 2>&1; apt-get clean; rm -f /var/lib/podium/steps/docker
    dd if=/dev/zero of=/fill bs=1M >/dev/null 2>&1; sync; true' >/dev/null
  check "up fails on a full disk" fails 1 podium up "$lab"
  check "it says that the disk is full" grep -q -i -e 'disk.*full' -e 'no space left' "$work/output"
  podium exec "$lab" --on box2 --sudo -- rm -f /fill >/dev/null
  check "up finishes once there is room" podium up "$lab"
  check "Docker works" podium exec "$lab" -- docker info
}

names_fail() {
  local lab=$1 APT=$PODIUM_MIRROR_APT SECURITY=$PODIUM_MIRROR_APT_SECURITY
  export -n PODIUM_MIRROR_APT PODIUM_MIRROR_APT_SECURITY # by address they need no names
  podium exec "$lab" --on box --sudo -- 'apt-get -qq remove -y docker.io >/dev/null 2>&1; rm -f /var/lib/podium/steps/* /var/lib/apt/lists/*_*
    rm -f /etc/resolv.conf; echo nameserver 203.0.113.1 >/etc/resolv.conf' >/dev/null
  check "up fails where no name resolves" fails 1 podium up "$lab"
  check "it says that it is about names" grep -q -i -e 'resol' -e 'DNS' "$work/output"
  podium exec "$lab" --on box --sudo -- ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf >/dev/null
  check "up finishes once they do" podium up "$lab"
  check "Docker works" podium exec "$lab" -- docker info
  export PODIUM_MIRROR_APT=$APT PODIUM_MIRROR_APT_SECURITY=$SECURITY
}
