#!/usr/bin/env bash
# The limit, in either version.
file=/sys/fs/cgroup/few/pids.max
[[ -e /sys/fs/cgroup/cgroup.controllers ]] || file=/sys/fs/cgroup/pids/few/pids.max
[[ -e $file ]] || {
  echo "there is no $file|${file} 파일이 없습니다"
  exit 1
}
is=$(cat "$file")
if [[ $is != "$MOST" ]]; then
  echo "$file has $is, not $MOST|${file}의 값이 ${MOST}이 아니라 ${is}입니다"
  exit 1
fi
