#!/usr/bin/env bash
# NSpid has the number of a process in each of the namespaces in which it is seen.
pid=$(pgrep -oxf "sleep $NUMBER") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
read -r -a numbers < <(sed -n 's/^NSpid://p' "/proc/$pid/status")
if ((${#numbers[@]} < 2)); then
  echo "process $pid is in the node's own PID namespace|프로세스 ${pid}은 노드의 PID 네임스페이스에 있습니다"
  exit 1
elif ((numbers[-1] != 1)); then
  echo "inside its namespace it is process ${numbers[-1]}, not 1|네임스페이스 안에서 1번이 아니라 ${numbers[-1]}번 프로세스입니다"
  exit 1
fi
