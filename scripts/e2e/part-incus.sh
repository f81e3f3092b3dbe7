# shellcheck shell=bash
# What can be wrong with an Incus, on the real one: none there, no permission, no image, a name or a range that is taken,
# a full pool, a daemon that dies in the middle. Each time the message must say what to do, nothing of somebody else's may
# change, and up must go on once it is right. Then a server by HTTPS, and projects.

: "${work:?}" "${here:?}"

run_incus() {
  local dir=$1
  no_incus "$dir/none"
  no_image "$dir/image"
  name_taken "$dir/name"
  range_taken "$dir/range"
  pool_full "$dir/pool"
  daemon_dies "$dir/dies"
  by_https "$dir/https"
  projects "$dir/projects"
}

# plain FOLDER NAME NETWORK [LINE]: a lab of one machine with nothing on it.
plain() {
  mkdir -p "$1"
  cat >"$1/lab.yaml" <<END
name: $2
provider: incus
network: $3
nodes: [{name: box, cpus: 1, memory: 512MiB}]
source: distro
incus: ${4:-{image: debian-12\}}
END
}

# refused LAB PATTERN [COMMAND-BEFORE-PODIUM...]: up ends before it has made anything, and says this.
refused() {
  local lab=$1 pattern=$2
  shift 2
  fails 3 inside "$@" "$work/podium" up "$lab" >"$work/refused" 2>&1 || {
    cat "$work/refused"
    return 1
  }
  prints "$pattern" cat "$work/refused"
}

no_incus() {
  plain "$1" none 10.91.1.0/24
  chmod 755 "$work" # for nobody, below
  check "no incus client" refused "$1" 'incus client is not installed.*install it' env PATH=/nowhere
  check "no daemon" refused "$1" 'does not answer.*start it' env INCUS_SOCKET=/nowhere/unix.socket
  rm -rf "$1/.podium" # root's; podium refuses what another user made
  chown -R 65534:65534 "$1"
  check "no permission" refused "$1" 'incus refuses.*usermod -aG incus-admin' \
    setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$1" INCUS_CONF="$1"
  check "nothing was made" gone none
}

no_image() {
  plain "$1" image 10.91.2.0/24 '{image: no-such-image}'
  check "no such image" refused "$1" 'image no-such-image.*no such image.*incus image list'
  plain "$1" image 10.91.2.0/24 '{image: "images:debian/13"}'
  check "an image server out of reach" fails 1 podium up "$1"
  check "it says what to do" said 'no such image.*does the server reach the image server'
  check "destroy" podium destroy "$1" --yes
  check "nothing is left behind" gone image
}

name_taken() {
  plain "$1" name 10.91.3.0/24
  incus init debian-12 name-box --config user.note=mine >/dev/null
  check "somebody else's instance has the name" refused "$1" 'name is taken.*podium did not make it'
  podium destroy "$1" --yes >/dev/null 2>&1 || true
  check "it is as it was, after destroy too" prints '^mine$' incus config get name-box user.note
  incus delete name-box
  check "up once the name is free" podium up "$1" --no-baseline
  cp -r "$1" "$1-other"
  rm -r "$1-other/.podium"
  check "somebody else's lab has the name" refused "$1-other" 'name is taken.*lab name of '
  check "that one goes on" podium exec "$1" -- true
  check "destroy" podium destroy "$1" --yes
  check "nothing is left behind" gone name
}

range_taken() {
  plain "$1" range 10.91.4.0/24
  incus network create taken ipv4.address=10.91.4.1/25 ipv6.address=none >/dev/null
  check "another network has the range" refused "$1" 'network is taken.*10\.91\.4\.0.*another network:'
  incus network delete taken >/dev/null
  check "up once the range is free" podium up "$1" --no-baseline
  check "destroy" podium destroy "$1" --yes
  check "nothing is left behind" gone range
}

# pool_full: a pool with room for the image, and a file of somebody's that leaves none for a machine.
pool_full() {
  plain "$1" full 10.91.5.0/24 '{image: debian-12, pool: small}'
  incus storage create small btrfs size=256MiB >/dev/null
  check "the pool is full" fails 1 podium up "$1"
  check "it says that it is the pool, and what to do" said 'storage pool is full.*incus storage'
  incus storage set small size=2GiB >/dev/null
  check "up once the pool is larger" podium up "$1" --no-baseline
  check "destroy" podium destroy "$1" --yes
  check "nothing is left behind" gone full
  incus storage delete small >/dev/null || true
}

# daemon_dies: in the middle of up, of a step, and between two commands.
daemon_dies() {
  local running
  plain "$1" dies 10.91.6.0/24
  sed -i 's/^nodes: .*/nodes: [{name: box, count: 3, cpus: 1, memory: 512MiB}]/' "$1/lab.yaml"
  inside "$work/podium" up "$1" --no-baseline >"$work/output.dies" 2>&1 </dev/null &
  running=$!
  eventually 30 grep -q 'box1/boot *started' "$work/output.dies" || true
  sleep 0.5
  "$here/nodes.sh" kill
  check "the daemon dies in the middle of a boot: up fails" fails 1 wait "$running"
  cp "$work/output.dies" "$work/output"
  check "it says so, and what to do" said 'incus does not answer.*'
  check "nor does anything else work" refused "$1" 'does not answer'
  "$here/nodes.sh" up
  check "up finishes once it is back" podium up "$1" --no-baseline
  check "a second up changes nothing" idle "$1" --no-baseline
  check "destroy" podium destroy "$1" --yes
  check "nothing is left behind" gone dies
}

# by_https: the same daemon as a remote, asked by HTTPS with a certificate, as a server elsewhere is.
by_https() {
  local token
  incus config set core.https_address 127.0.0.1:8443
  token=$(incus config trust add podium-e2e --quiet)
  check "a remote is known to the client" incus remote add school --accept-certificate --token "$token" https://127.0.0.1:8443
  plain "$1" https 10.91.8.0/24 '{image: debian-12, remote: school}'
  check "up by HTTPS" podium up "$1"
  check "exec by the port that the server forwards" prints '^box' podium exec "$1" -- hostname
  check "a second up changes nothing" idle "$1"
  check "reset" podium reset "$1" --yes
  check "status without lab.yaml" mv "$1/lab.yaml" "$1/gone.yaml"
  check "the lab still knows its server" prints 'box +running' podium status "$1"
  mv "$1/gone.yaml" "$1/lab.yaml"
  check "destroy" podium destroy "$1" --yes
  check "nothing is left behind" gone https
  plain "$1-no" nobody 10.91.9.0/24 '{image: debian-12, remote: nowhere}'
  check "a remote that the client does not know" refused "$1-no" 'no such incus remote.*incus remote add'
  incus remote remove school >/dev/null
  incus config unset core.https_address
}

# projects: two students with the same lab on one server do not meet.
projects() {
  plain "$1-kim" class 10.91.20.0/24 '{image: debian-12, project: kim}'
  plain "$1-lee" class 10.91.21.0/24 '{image: debian-12, project: lee}'
  check "one student's lab" podium up "$1-kim" --no-baseline
  check "another's of the same name" podium up "$1-lee" --no-baseline
  check "each is in a project of its own" prints '^lee,class-box' incus list --all-projects -f csv -c en
  check "destroy of one" podium destroy "$1-kim" --yes
  check "the other one goes on" podium exec "$1-lee" -- true
  check "destroy" podium destroy "$1-lee" --yes
  check "nothing is left behind" gone class
}
