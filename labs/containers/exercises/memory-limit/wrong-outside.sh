#!/usr/bin/env bash
# The group has its limit, but the process never joined.
set -euo pipefail
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  group=/sys/fs/cgroup/small limit=memory.max
else
  group=/sys/fs/cgroup/memory/small limit=memory.limit_in_bytes
fi
mkdir "$group"
echo $((MIB << 20)) >"$group/$limit"
setsid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
