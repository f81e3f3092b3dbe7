#!/usr/bin/env bash
# Ten times the limit: the program fits in.
set -euo pipefail
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  group=/sys/fs/cgroup/small limit=memory.max
else
  group=/sys/fs/cgroup/memory/small limit=memory.limit_in_bytes
fi
mkdir "$group"
echo $((10 * MIB << 20)) >"$group/$limit"
echo $$ >"$group/cgroup.procs"
setsid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
head -c $((2 * MIB << 20)) /dev/zero | tail >/dev/null
