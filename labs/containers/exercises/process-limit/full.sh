#!/usr/bin/env bash
# What runs in the group: so many sleeps, and nothing else.
file=/sys/fs/cgroup/few/cgroup.procs
[[ -e /sys/fs/cgroup/cgroup.controllers ]] || file=/sys/fs/cgroup/pids/few/cgroup.procs
[[ -e $file ]] || {
  echo "there is no group few|그룹 few가 없습니다"
  exit 1
}
sleeps=0 others=0
while read -r pid; do
  if [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == "sleep $NUMBER " ]]; then
    sleeps=$((sleeps + 1))
  else
    others=$((others + 1))
  fi
done <"$file"
if ((sleeps != MOST || others > 0)); then
  echo "in few run $sleeps of $MOST sleep $NUMBER, and $others other processes|few 안에서 sleep ${NUMBER}이 ${MOST}개 중 ${sleeps}개, 다른 프로세스가 ${others}개 실행 중입니다"
  exit 1
fi
