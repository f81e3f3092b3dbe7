#!/usr/bin/env bash
# Which user of the node is root of its namespace?
pid=$(pgrep -oxf "sleep $NUMBER") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
if [[ $(readlink "/proc/$pid/ns/user") == "$(readlink /proc/self/ns/user)" ]]; then
  echo "process $pid is in the node's own user namespace|프로세스 ${pid}은 노드의 사용자 네임스페이스에 있습니다"
  exit 1
fi
read -r inside outside _ <"/proc/$pid/uid_map" || true
if [[ ${inside:-} != 0 || $outside != "$(stat -c %u "/proc/$pid")" ]]; then
  echo "its user is not number 0 inside: see /proc/$pid/uid_map|안에서 사용자 번호가 0이 아닙니다: /proc/$pid/uid_map을 보십시오"
  exit 1
fi
