#!/usr/bin/env bash
# nodes.sh: an Incus daemon of its own, with networks of its own, whose system containers are real nodes: systemd, sshd,
# apt. It needs root on Debian or Ubuntu, no virtualisation, and nothing of the host's own Incus.
#
# usage: nodes.sh up                 start everything; nothing happens when it is up
#        nodes.sh exec COMMAND...    run a command where the nodes can be reached: incus, ssh, podium
#        nodes.sh env                print what exec sets, for eval; the nodes' networks are not reached that way
#        nodes.sh with COMMAND...    up, COMMAND, down, whatever happens
#        nodes.sh bare COMMAND...    the same with nothing but the network: no daemon, no images
#        nodes.sh images             build the images only
#        nodes.sh kill               the daemon dies as in a crash, its nodes run on; up starts it again
#        nodes.sh down               remove everything but the cache; nothing happens when it is down
#
# PODIUM_E2E_ID      name of this installation; two with different names do not see each other (default: default)
# PODIUM_E2E_CACHE   where built images are kept (default: ${XDG_CACHE_HOME:-~/.cache}/podium-e2e)
# PODIUM_E2E_POOL    size of the storage pool, a sparse file (default: 30GiB)
# PODIUM_E2E_IMAGES  which images to make and import (default: debian-12; also debian-13)
# PODIUM_E2E_APT     base URL of the Debian mirror (default: http://deb.debian.org/debian)
#
# How: the daemon runs in a network namespace, tied to the host by one veth pair behind one masquerading rule, so that
# bridges and addresses of labs meet nothing of the host's; and in a mount namespace, so that its storage is gone when
# it ends.
set -euo pipefail

id=${PODIUM_E2E_ID:-default}
cache=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}
pool=${PODIUM_E2E_POOL:-30GiB}
read -r -a images <<<"${PODIUM_E2E_IMAGES:-debian-12}"
mirror=${PODIUM_E2E_APT:-http://deb.debian.org/debian}

base=/var/lib/podium-e2e/$id # short: unix sockets in it may be 107 bytes long
incus=$base/incus
netns=podium-$id
daemon=/usr/libexec/incus/incusd
daemon_packages=(incus-base incus-client dnsmasq-base nftables btrfs-progs mmdebstrap iproute2)

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'nodes.sh: %s\n' "$*" >&2
  exit 1
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$here/packages.sh"

# image NAME makes the two tar files of a node image: a plain Debian as a cloud provider would ship it, with host keys
# made at first boot. NAME is debian-12 or debian-13.
# shellcheck disable=SC2016 # $1 of a hook is the new root
image() {
  local name=$1 suite folder=$cache/images/$1
  case $name in
    debian-12) suite=bookworm ;;
    debian-13) suite=trixie ;;
    *) die "PODIUM_E2E_IMAGES: $name: write debian-12 or debian-13" ;;
  esac
  mkdir -p "$folder"
  exec 7>"$folder/lock"
  flock 7
  local recipe
  recipe=$(declare -f image | sha256sum)
  if [[ ! -f $folder/recipe || $(cat "$folder/recipe") != "$recipe" ]]; then
    say "building image $name"
    rm -f "$folder/recipe"
    mmdebstrap --quiet --variant=minbase --mode=root \
      --include=systemd-sysv,systemd-resolved,udev,dbus,libpam-systemd,openssh-server,sudo,curl,ca-certificates,gnupg,iproute2,iputils-ping,procps,kmod,less \
      --customize-hook='rm -f "$1"/etc/ssh/ssh_host_*' \
      --customize-hook='printf "[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n" >"$1"/etc/systemd/network/eth0.network' \
      --customize-hook='printf "[Unit]\nBefore=ssh.service ssh.socket\nConditionPathExists=!/etc/ssh/ssh_host_ed25519_key\n[Service]\nType=oneshot\nExecStart=/usr/bin/ssh-keygen -A\n[Install]\nWantedBy=multi-user.target\n" >"$1"/etc/systemd/system/ssh-host-keys.service' \
      --customize-hook='systemctl --root="$1" --quiet enable systemd-networkd systemd-resolved ssh-host-keys' \
      --customize-hook='systemctl --root="$1" --quiet mask systemd-networkd-wait-online' \
      --customize-hook='ln -sf /run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf' \
      --customize-hook='printf "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n" >"$1"/etc/hosts' \
      --customize-hook=': >"$1"/etc/machine-id; rm -f "$1"/etc/hostname' \
      "$suite" "$folder/rootfs.part.tar" "deb $mirror $suite main" "deb $mirror $suite-updates main" \
      "deb $mirror-security $suite-security main"
    printf 'architecture: %s\ncreation_date: %s\nproperties: {os: Debian, release: %s, description: Debian %s for podium}\n' \
      "$(uname -m)" "$(date +%s)" "$suite" "${name#*-}" >"$folder/metadata.yaml"
    tar -C "$folder" -cf "$folder/metadata.tar" metadata.yaml
    mv "$folder/rootfs.part.tar" "$folder/rootfs.tar"
    echo "$recipe" >"$folder/recipe"
  fi
  exec 7>&-
}

# setting NAME VALUE raises a setting of the kernel. The first installation notes what it was; the last one puts it back.
setting() {
  local file=/proc/sys/$1 note=/run/podium-e2e/was-${1//\//.}
  (($(cat "$file") < $2)) || return 0
  [[ -f $note ]] || cat "$file" >"$note"
  echo "$2" >"$file"
}

settings_back() {
  local note name
  for note in /run/podium-e2e/was-*; do
    [[ -f $note ]] || continue
    name=${note##*/was-}
    cat "$note" >"/proc/sys/${name//.//}"
    rm -f "$note"
  done
}

# network ties a network namespace to the host. Each installation takes a /30 of 198.18.255.0/24, a range that is
# reserved for such tests (RFC 2544).
network() {
  [[ -e /run/netns/$netns ]] && return
  mkdir -p /run/podium-e2e
  exec 7>/run/podium-e2e/lock
  flock 7
  local slot=0 link
  while ip link show "podium-e2e$slot" >/dev/null 2>&1; do
    slot=$((slot + 1))
    ((slot < 64)) || die "64 installations are up already: end one with PODIUM_E2E_ID=NAME nodes.sh down (names: ls /var/lib/podium-e2e)"
  done
  link=podium-e2e$slot
  echo "$slot" >"$base/slot"
  local outer=198.18.255.$((slot * 4 + 1)) inner=198.18.255.$((slot * 4 + 2)) uplink mtu
  uplink=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
  mtu=$(cat "/sys/class/net/${uplink:-lo}/mtu")
  ip netns add "$netns"
  ip link add "$link" mtu "$mtu" type veth peer name uplink mtu "$mtu" netns "$netns"
  ip address add "$outer/30" dev "$link"
  ip link set "$link" up
  ip -n "$netns" link set lo up
  ip -n "$netns" address add "$inner/30" dev uplink
  ip -n "$netns" link set uplink up
  ip -n "$netns" route add default via "$outer"
  # What is sent to a pod or a service before its rule stands must not leave: a gateway outside might answer it.
  ip -n "$netns" route add unreachable 10.96.0.0/12
  ip -n "$netns" route add unreachable 10.244.0.0/16
  # Each systemd takes some ten inotify instances, all of them on root's account: at the usual limit of 128 the tenth
  # node comes up without network or device manager.
  setting net/ipv4/ip_forward 1
  setting fs/inotify/max_user_instances 4096
  nft -f - <<NFT
table ip podium-e2e$slot {
  chain out {
    type nat hook postrouting priority srcnat
    ip saddr $inner oifname != "$link" masquerade
  }
  chain through {
    type filter hook forward priority filter
    iifname "$link" tcp flags syn tcp option maxseg size set rt mtu
  }
}
NFT
  exec 7>&-
}

# surroundings are the variables of a command that works with the nodes. PODIUM_E2E_HOST is the address by which nodes
# reach what listens where that command runs.
surroundings() {
  printf '%s\n' INCUS_SOCKET="$incus/unix.socket" INCUS_CONF="$base/client" PODIUM_E2E_NETNS="/run/netns/$netns" \
    PODIUM_E2E_HOST="198.18.255.$(($(cat "$base/slot") * 4 + 2))"
}

# inside runs a command where the nodes are.
inside() {
  local -a variables
  mapfile -t variables < <(surroundings)
  nsenter --net="/run/netns/$netns" env "${variables[@]}" "$@"
}

# holder prints the process that keeps the daemon's mounts while the daemon is dead, as a host would.
holder() { [[ -f $base/holder && -d /proc/$(cat "$base/holder") ]] && cat "$base/holder"; }

# kill_daemon ends the daemon as a crash does: at once, and its nodes run on.
kill_daemon() {
  local pid
  pid=$(cat "$base/pid")
  holder >/dev/null || {
    setsid nsenter --mount="/proc/$pid/ns/mnt" --net="/run/netns/$netns" sleep infinity >/dev/null 2>&1 </dev/null &
    echo $! >"$base/holder"
    sleep 0.2 # until it is inside
  }
  kill -KILL "$pid"
  while [[ -d /proc/$pid ]]; do sleep 0.1; done
}

running() { [[ -f $base/pid ]] && [[ -d /proc/$(cat "$base/pid") ]] && [[ $(tr '\0' ' ' <"/proc/$(cat "$base/pid")/cmdline") == "$daemon"* ]]; }

# start runs the daemon. Its /sys must be that of the network namespace, and must still contain the cgroups, which
# systemd in the nodes needs: so they are carried over by hand.
start() {
  running && return
  say "starting incusd ($id)"
  mkdir -p "$incus" "$base/cgroup" "$base/client"
  if holder >/dev/null; then
    setsid nsenter --mount="/proc/$(holder)/ns/mnt" --net="/run/netns/$netns" env INCUS_DIR="$incus" \
      "$daemon" --group root --logfile "$base/incusd.log" >>"$base/incusd.out" 2>&1 </dev/null 7>&- 9>&- &
    echo $! >"$base/pid"
    thaw_pods
    answers
    return
  fi
  # shellcheck disable=SC2016 # expanded by the inner shells
  setsid unshare --mount --propagation private sh -c '
    mount --rbind /sys/fs/cgroup "$1/cgroup"
    exec nsenter --net="$2" sh -c '\''
      mount -t sysfs sysfs /sys
      mount --rbind "$1/cgroup" /sys/fs/cgroup
      INCUS_DIR="$1/incus" exec "$2" --group root --logfile "$1/incusd.log"
    '\'' sh "$1" "$3"' sh "$base" "/run/netns/$netns" "$daemon" >"$base/incusd.out" 2>&1 </dev/null 7>&- 9>&- &
  echo $! >"$base/pid"
  thaw_pods
  answers
}

# thaw_pods: as long as the daemon lives. On control groups of version 1 a container runtime that is killed in the
# moment in which it holds a pod frozen leaves it so without end: the pod cannot be killed, and its node not be stopped.
# What is found frozen at two looks is that.
thaw_pods() {
  [[ -d /sys/fs/cgroup/freezer ]] || return 0
  thaw "$(cat "$base/pid")" >/dev/null 2>&1 </dev/null 7>&- 9>&- &
}

thaw() {
  local container state now before=''
  trap - ERR EXIT
  set +e
  while [[ -d /proc/$1 ]]; do
    now=''
    for container in "$incus/containers"/*; do
      now+=$(grep -rlx FROZEN --include=freezer.state "/sys/fs/cgroup/freezer/lxc.payload.${container##*/}/kubepods.slice" 2>/dev/null)$'\n'
    done
    while read -r state; do
      [[ -z $state || $before != *"$state"* ]] || echo THAWED >"$state"
    done <<<"$now"
    before=$now
    sleep 2
  done
}

# answers waits until the daemon does.
answers() {
  local try
  for ((try = 0; try < 300; try++)); do
    inside incus query /1.0 >/dev/null 2>&1 && return
    [[ -d /proc/$(cat "$base/pid") ]] || break
    sleep 0.1
  done
  tail -n 20 "$base/incusd.out" "$base/incusd.log" >&2 || true
  die "incusd does not answer: its log is above"
}

# fill gives a fresh daemon a pool, a network for nodes made by hand, and the images.
fill() {
  if ! inside incus query /1.0/storage-pools/default >/dev/null 2>&1; then
    inside incus admin init --preseed <<YAML
storage_pools:
- {name: default, driver: btrfs, config: {size: $pool}}
networks:
- {name: nodes, type: bridge, config: {ipv4.address: 198.18.0.1/24, ipv4.nat: "true", ipv6.address: none}}
profiles:
- name: default
  devices:
    root: {type: disk, path: /, pool: default}
    eth0: {type: nic, network: nodes, name: eth0}
YAML
  fi
  local name
  for name in "${images[@]}"; do
    inside incus query "/1.0/images/aliases/$name" >/dev/null 2>&1 && continue
    say "importing image $name"
    inside incus image import "$cache/images/$name/metadata.tar" "$cache/images/$name/rootfs.tar" --alias "$name" >/dev/null
  done
}

# ground checks what everything else stands on and makes the folders.
ground() {
  [[ $EUID == 0 ]] || die "needs root: it makes namespaces and mounts"
  [[ $id =~ ^[a-z0-9-]{1,20}$ ]] || die "PODIUM_E2E_ID: $id: write 1 to 20 of a-z, 0-9 and -"
  mkdir -p "$cache" "$base"
}

up() {
  ground
  packages "${daemon_packages[@]}"
  local name
  for name in "${images[@]}"; do image "$name"; done
  exec 9>"$base/lock"
  flock 9
  trap 'say "up failed: removing what it made"; down' ERR
  set -E
  network
  start
  fill
  trap - ERR
  exec 9>&-
}

# stop ends the daemon and what it left behind in its network namespace, and only that.
stop() {
  local pids pid project name names try signal
  if running; then
    names=$(inside timeout 20 incus list --all-projects -f csv -c ne 2>/dev/null || true)
    while IFS=, read -r project name; do
      [[ -z $name ]] || inside timeout 60 incus delete --force --project "${project:-default}" "$name" >/dev/null 2>&1 || true
    done <<<"$names"
    pid=$(cat "$base/pid")
    kill -TERM "$pid" 2>/dev/null || true
    for ((try = 0; try < 100; try++)); do
      [[ -d /proc/$pid ]] || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  if [[ -e /run/netns/$netns ]]; then
    # A daemon that was killed leaves its containers running, each below a monitor, and their cgroups.
    local cgroups=()
    for pid in $(ip netns pids "$netns"); do
      [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == "[lxc monitor] $incus/"* ]] || continue
      name=$(sed -n 's,^[0-9]*:[^:]*:/lxc\.monitor\.\([^/]*\).*,\1,p;T;q' "/proc/$pid/cgroup")
      [[ -z $name ]] || cgroups+=("lxc.payload.$name" "lxc.monitor.$name")
      # shellcheck disable=SC2046 # one word a pid
      kill -KILL $(cat "/proc/$pid/task/$pid/children") 2>/dev/null || true
    done
    signal=-TERM
    for ((try = 0; try < 5; try++)); do
      pids=$(ip netns pids "$netns" | grep -vx "$$" || true)
      [[ -n $pids ]] || break
      # shellcheck disable=SC2086 # one word a pid
      kill "$signal" $pids 2>/dev/null || true
      signal=-KILL
      sleep 0.2
    done
    for name in "${cgroups[@]}"; do
      find /sys/fs/cgroup -depth -type d -path "/sys/fs/cgroup/*/$name*" -exec rmdir {} + 2>/dev/null || true
    done
  fi
}

down() {
  trap - ERR
  [[ -d $base || -e /run/netns/$netns ]] || return 0
  stop
  [[ ! -e /run/netns/$netns ]] || ip netns delete "$netns"
  if [[ -f $base/slot ]]; then
    local slot
    slot=$(cat "$base/slot")
    ip link delete "podium-e2e$slot" 2>/dev/null || true
    nft delete table ip "podium-e2e$slot" 2>/dev/null || true
  fi
  # Not by a pipe to grep -q: it ends at the first link, which kills ip, and that would count as none.
  [[ $(ip -o link) == *' podium-e2e'* ]] || settings_back
  local try
  for ((try = 0; try < 50; try++)); do # the pool's file is free once the last process of the mount namespace is gone
    rm -rf --one-file-system "$base" 2>/dev/null && break
    sleep 0.1
  done
  [[ ! -d $base ]] || die "$base cannot be removed: see what holds it with: grep -l $base /proc/*/mountinfo"
}

need_up() { running || die "not up: run nodes.sh up first"; }

case ${1:-} in
  up) up ;;
  down) down ;;
  images)
    packages "${daemon_packages[@]}"
    for name in "${images[@]}"; do image "$name"; done
    ;;
  env)
    need_up
    surroundings | sed 's/^/export /'
    ;;
  exec)
    running || holder >/dev/null || need_up
    shift
    mapfile -t variables < <(surroundings)
    exec nsenter --net="/run/netns/$netns" env "${variables[@]}" "$@"
    ;;
  kill)
    need_up
    kill_daemon
    ;;
  with)
    shift
    trap down EXIT
    up
    inside "$@"
    ;;
  bare)
    shift
    trap down EXIT
    ground
    packages iproute2 nftables
    network
    inside "$@"
    ;;
  *) die "usage: nodes.sh up|exec COMMAND...|env|with COMMAND...|bare COMMAND...|images|kill|down" ;;
esac
