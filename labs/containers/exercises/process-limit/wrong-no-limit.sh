#!/usr/bin/env bash
# As many processes as asked for, but nothing would stop the next one.
set -euo pipefail
group=/sys/fs/cgroup/few
[[ -e /sys/fs/cgroup/cgroup.controllers ]] || group=/sys/fs/cgroup/pids/few
mkdir "$group"
for ((n = 0; n < MOST; n++)); do
  setsid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
  echo $! >"$group/cgroup.procs"
done
