#!/usr/bin/env bash
# The limit, in either version; the kernel rounds it to whole pages.
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  file=/sys/fs/cgroup/small/memory.max
else
  file=/sys/fs/cgroup/memory/small/memory.limit_in_bytes
fi
[[ -e $file ]] || {
  echo "there is no $file|${file} 파일이 없습니다"
  exit 1
}
is=$(cat "$file")
if [[ $is != $((MIB << 20)) ]]; then
  echo "$file has $is, not $((MIB << 20))|${file}의 값이 $((MIB << 20))이 아니라 ${is}입니다"
  exit 1
fi
