#!/usr/bin/env bash
set -euo pipefail
pkill -KILL -xf "sleep $NUMBER" || true
group=/sys/fs/cgroup/few
[[ -e /sys/fs/cgroup/cgroup.controllers ]] || group=/sys/fs/cgroup/pids/few
mkdir -p "$group"
echo "$MOST" >"$group/pids.max"
for ((n = 0; n < MOST; n++)); do
  setsid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
  echo $! >"$group/cgroup.procs"
done
# What moves in is let in. What is born is not: this shell cannot start anything (bash would try for 15 s).
sh -c "echo \$\$ >$group/cgroup.procs; ls; true" >/dev/null 2>&1 || true
until (($(pgrep -cxf "sleep $NUMBER") == MOST)); do sleep 0.1; done
