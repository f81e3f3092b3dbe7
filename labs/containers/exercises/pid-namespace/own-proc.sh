#!/usr/bin/env bash
# What is /proc/1 for this process?
pid=$(pgrep -oxf "sleep $NUMBER") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
first=$(tr '\0' ' ' <"/proc/$pid/root/proc/1/cmdline")
if [[ $first != "sleep $NUMBER " ]]; then
  echo "in its /proc, process 1 is ${first:-unknown}|안에서 보는 /proc의 1번 프로세스는 ${first:-알 수 없는 것}입니다"
  exit 1
fi
