#!/usr/bin/env bash
set -euo pipefail
pkill -KILL -f "^(/bin/)?sleep $NUMBER\$" || true

mkdir -p /srv/tiny/{bin,proc}
cp "$(command -v busybox)" /srv/tiny/bin/busybox
chroot /srv/tiny /bin/busybox --install -s /bin

ip netns delete tiny 2>/dev/null || true
ip link delete to-tiny 2>/dev/null || true
ip netns add tiny
ip link add to-tiny type veth peer name eth0 netns tiny
ip address add "10.200.$NET.1/24" dev to-tiny
ip link set to-tiny up
nsenter --net=/run/netns/tiny ip address add "10.200.$NET.2/24" dev eth0
nsenter --net=/run/netns/tiny ip link set eth0 up

if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  group=/sys/fs/cgroup/tiny limit=memory.max
else
  group=/sys/fs/cgroup/memory/tiny limit=memory.limit_in_bytes
fi
mkdir -p "$group"
echo $((MIB << 20)) >"$group/$limit"
echo $$ >"$group/cgroup.procs"

setsid nsenter --net=/run/netns/tiny unshare --fork --pid --mount --uts chroot /srv/tiny /bin/sh -c \
  "hostname $NAME && mount -t proc proc /proc && exec sleep $NUMBER" </dev/null >/dev/null 2>&1 &
until pgrep -f "^(/bin/)?sleep $NUMBER\$" >/dev/null; do sleep 0.1; done
