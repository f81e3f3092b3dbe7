#!/usr/bin/env bash
# The kernel counts what it had to end.
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  file=/sys/fs/cgroup/small/memory.events
else
  file=/sys/fs/cgroup/memory/small/memory.oom_control
fi
[[ -e $file ]] || {
  echo "there is no $file|${file} 파일이 없습니다"
  exit 1
}
if [[ $(awk '$1 == "oom_kill" {print $2}' "$file") -lt 1 ]]; then
  echo "oom_kill in $file is 0: no program was ended there|${file}의 oom_kill이 0입니다. 그 안에서 끝난 프로그램이 없습니다"
  exit 1
fi
