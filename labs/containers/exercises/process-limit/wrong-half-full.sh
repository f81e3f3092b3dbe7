#!/usr/bin/env bash
# There is room left.
set -euo pipefail
group=/sys/fs/cgroup/few
[[ -e /sys/fs/cgroup/cgroup.controllers ]] || group=/sys/fs/cgroup/pids/few
mkdir "$group"
echo "$MOST" >"$group/pids.max"
for ((n = 0; n < MOST / 2; n++)); do
  setsid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
  echo $! >"$group/cgroup.procs"
done
