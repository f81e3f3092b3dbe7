#!/usr/bin/env bash
# Asks as a program in blue would.
[[ -e /run/netns/blue ]] || {
  echo "there is no network namespace called blue|blue라는 네트워크 네임스페이스가 없습니다"
  exit 1
}
if ! nsenter --net=/run/netns/blue ping -c 1 -W 2 "$ADDRESS_BOX" >/dev/null 2>&1; then
  echo "in blue, $ADDRESS_BOX does not answer|blue 안에서 ${ADDRESS_BOX}에 닿지 않습니다"
  exit 1
fi
