#!/usr/bin/env bash
# Its root is that folder, by chroot or by pivot_root.
pid=$(pgrep -of "^(/bin/)?sleep $NUMBER\$") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
if [[ ! "/proc/$pid/root/." -ef /srv/tiny ]]; then
  echo "the root of process $pid is not /srv/tiny|프로세스 ${pid}의 루트가 /srv/tiny가 아닙니다"
  exit 1
fi
