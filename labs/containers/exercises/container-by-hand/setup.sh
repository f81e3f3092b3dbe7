#!/usr/bin/env bash
# Nothing of the container is there.
set -euo pipefail
pkill -KILL -f "^(/bin/)?sleep $NUMBER\$" || true
for group in /sys/fs/cgroup/tiny /sys/fs/cgroup/memory/tiny; do
  for ((try = 0; try < 50; try++)); do
    [[ -d $group ]] || break
    xargs -r kill -KILL <"$group/cgroup.procs" 2>/dev/null || true
    rmdir "$group" 2>/dev/null || sleep 0.1 # once the last process is gone
  done
  [[ ! -d $group ]] || rmdir "$group"
done
for namespace in $(ip netns list | awk '{print $1}'); do
  [[ -z $(nsenter --net="/run/netns/$namespace" ip -4 -o address show to "10.200.$NET.2") ]] || ip netns delete "$namespace"
done
ip -4 -o address show to "10.200.$NET.0/24" | while read -r _ link _ address _; do
  ip address delete "$address" dev "$link" || true
done
while mountpoint -q /srv/tiny/proc; do umount --lazy /srv/tiny/proc; done
rm -rf --one-file-system /srv/tiny
