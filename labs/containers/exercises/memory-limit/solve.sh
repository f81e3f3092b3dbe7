#!/usr/bin/env bash
set -euo pipefail
pkill -KILL -xf "sleep $NUMBER" || true
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  group=/sys/fs/cgroup/small limit=memory.max
else
  group=/sys/fs/cgroup/memory/small limit=memory.limit_in_bytes
fi
mkdir -p "$group"
echo $((MIB << 20)) >"$group/$limit"
[[ ! -e $group/memory.swap.max ]] || echo 0 >"$group/memory.swap.max"
[[ ! -e $group/memory.memsw.limit_in_bytes ]] || echo $((MIB << 20)) >"$group/memory.memsw.limit_in_bytes"

echo $$ >"$group/cgroup.procs"
setsid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
tail /dev/zero || true # ended by the kernel
until pgrep -xf "sleep $NUMBER" >/dev/null; do sleep 0.1; done
