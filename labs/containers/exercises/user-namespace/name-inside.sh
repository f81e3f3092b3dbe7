#!/usr/bin/env bash
# The name that the process sees.
pid=$(pgrep -oxf "sleep $NUMBER") || {
  echo "sleep $NUMBER does not run|sleep ${NUMBER}이 실행되고 있지 않습니다"
  exit 1
}
is=$(nsenter --target "$pid" --uts hostname) || exit 2
if [[ $is != "$NAME" ]]; then
  echo "inside, the machine is called $is, not $NAME|안에서 보이는 컴퓨터 이름은 ${NAME}이 아니라 ${is}입니다"
  exit 1
fi
