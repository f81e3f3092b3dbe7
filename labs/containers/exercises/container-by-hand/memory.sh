#!/usr/bin/env bash
# The limit of the group in which the process is, in either version.
pid=$(pgrep -of "^(/bin/)?sleep $NUMBER\$") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  file=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/memory.max
else
  file=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:[a-z,]*memory[a-z,]*://p' "/proc/$pid/cgroup")/memory.limit_in_bytes
fi
is=$(cat "$file" 2>/dev/null) || is=max # the group of all has no limit
if [[ $is != $((MIB << 20)) ]]; then
  echo "its group may take $is bytes, not $((MIB << 20))|그룹의 제한이 $((MIB << 20))바이트가 아니라 ${is}입니다"
  exit 1
fi
