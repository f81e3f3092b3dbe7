# shellcheck shell=bash
# What goes wrong in class: podium is killed, a machine is switched off, the package system is busy, a disk is full, names
# do not resolve. Each time the message must help, and up again must finish.

: "${work:?}" "${here:?}"

run_faults() {
  local lab=$1/lab
  lab docker "$lab" <<'END'
name: faults
nodes:
  - {name: box, disk: 4GiB}
  - {name: box2, roles: [docker], cpus: 1, memory: 1GiB, disk: 4GiB}
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
  : >"$work/output.up" # now, not when the process below comes to it
  "$here/nodes.sh" exec "$work/podium" up "$1" --provider incus >"$work/output.up" 2>&1 </dev/null &
  running=$!
}

killed_at_random() {
  local lab=$1 round try wait
  for ((round = 1; round <= ${PODIUM_E2E_KILLS:-1}; round++)); do
    ((round == 1)) || check "destroy" podium destroy "$lab" --yes
    for try in 1 2 3; do
      wait=$((RANDOM % (try * try * 1400))) # the first as the lab's network is made
      start_up "$lab"
      sleep "$(seconds "$wait" | tr -d s)"
      kill -KILL "$running" 2>/dev/null || true
      wait "$running" 2>/dev/null || true
      figure "killed (SIGKILL)" "after $(seconds "$wait"), at: $(tail -n 1 "$work/output.up" | cut -c 10-80)"
    done
    check "up finishes what $try killed runs began" podium up "$lab" --provider incus
  done
  check "Docker works" podium exec "$lab" -- docker info
  check "no script runs twice or goes on by itself" podium exec "$lab" --sudo -- '! pgrep -f [/]var/lib/podium/scripts'
  check "a further up changes nothing" idle "$lab"
}

machine_stops() {
  local lab=$1
  podium destroy "$lab" --yes >/dev/null 2>&1
  start_up "$lab"
  eventually 60 grep -q 'box2/docker *started' "$work/output.up" || true
  sleep 2
  incus stop --force faults-box2
  check "up starts a machine again that is switched off in the middle, and finishes" wait "$running"
  check "Docker works" podium exec "$lab" -- docker info
  check "a further up changes nothing" idle "$lab"
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
  check "the program that failed says why" said 'no space left|disk quota exceeded'
  check "podium explains that the disk is full" said 'the disk of .* is full|is the disk full\?'
  podium exec "$lab" --on box2 --sudo -- rm -f /fill >/dev/null
  check "up finishes once there is room" podium up "$lab"
  check "Docker works" podium exec "$lab" -- docker info
}

names_fail() {
  local lab=$1 apt=$PODIUM_MIRROR_APT security=$PODIUM_MIRROR_APT_SECURITY
  unset PODIUM_MIRROR_APT PODIUM_MIRROR_APT_SECURITY # they are addresses, and need no names
  cp "$lab/lab.override.yaml" "$work/override"
  echo 'dns: [198.18.0.9]' >>"$lab/lab.override.yaml" # nobody is there
  check "up fails where no name resolves" fails 1 podium up "$lab"
  check "it says that it is about names, and what to correct" said 'cannot resolve .*198.18.0.9'
  cp "$work/override" "$lab/lab.override.yaml"
  check "up finishes once they do" podium up "$lab"
  check "names resolve" podium exec "$lab" -- getent hosts deb.debian.org
  export PODIUM_MIRROR_APT=$apt PODIUM_MIRROR_APT_SECURITY=$security
}
