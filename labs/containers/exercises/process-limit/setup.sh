#!/usr/bin/env bash
# There is no group few, and nothing runs in it.
set -euo pipefail
pkill -KILL -xf "sleep $NUMBER" || true
for group in /sys/fs/cgroup/few /sys/fs/cgroup/pids/few; do
  for ((try = 0; try < 50; try++)); do
    [[ -d $group ]] || break
    xargs -r kill -KILL <"$group/cgroup.procs" 2>/dev/null || true
    rmdir "$group" 2>/dev/null || sleep 0.1 # once the last process is gone
  done
  [[ ! -d $group ]] || rmdir "$group"
done
