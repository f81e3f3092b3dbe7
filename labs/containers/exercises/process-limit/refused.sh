#!/usr/bin/env bash
# The kernel counts how often it refused.
file=/sys/fs/cgroup/few/pids.events
[[ -e /sys/fs/cgroup/cgroup.controllers ]] || file=/sys/fs/cgroup/pids/few/pids.events
[[ -e $file ]] || {
  echo "there is no $file|${file} 파일이 없습니다"
  exit 1
}
if [[ $(awk '$1 == "max" {print $2}' "$file") -lt 1 ]]; then
  echo "max in $file is 0: nothing was refused|${file}의 max가 0입니다. 거부된 것이 없습니다"
  exit 1
fi
