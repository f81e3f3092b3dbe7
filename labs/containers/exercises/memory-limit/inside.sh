#!/usr/bin/env bash
# A process says itself in which groups it is.
pid=$(pgrep -oxf "sleep $NUMBER") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  is=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
else
  is=$(sed -n 's/^[0-9]*:[a-z,]*memory[a-z,]*://p' "/proc/$pid/cgroup")
fi
if [[ $is != /small ]]; then
  echo "process $pid is in the group $is, not /small|프로세스 ${pid}은 /small이 아니라 $is 그룹에 있습니다"
  exit 1
fi
