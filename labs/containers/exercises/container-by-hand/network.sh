#!/usr/bin/env bash
# The address belongs to the process's own network, and answers.
pid=$(pgrep -of "^(/bin/)?sleep $NUMBER\$") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
if [[ $(readlink "/proc/$pid/ns/net") == "$(readlink /proc/self/ns/net)" ]]; then
  echo "process $pid is in the node's own network namespace|프로세스 ${pid}은 노드의 네트워크 네임스페이스에 있습니다"
  exit 1
elif [[ -z $(nsenter --target "$pid" --net ip -4 -o address show to "10.200.$NET.2") ]]; then
  echo "it does not have the address 10.200.$NET.2|안에 주소 10.200.$NET.2가 없습니다"
  exit 1
elif ! ping -c 1 -W 2 "10.200.$NET.2" >/dev/null 2>&1; then
  echo "10.200.$NET.2 does not answer the node|노드에서 10.200.$NET.2에 닿지 않습니다"
  exit 1
fi
