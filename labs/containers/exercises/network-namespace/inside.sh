#!/usr/bin/env bash
# Who has the address?
[[ -e /run/netns/blue ]] || {
  echo "there is no network namespace called blue|blue라는 네트워크 네임스페이스가 없습니다"
  exit 1
}
if [[ -z $(nsenter --net=/run/netns/blue ip -4 -o address show to "10.200.$NET.2") ]]; then
  echo "no interface in blue has the address 10.200.$NET.2|blue 안에는 주소가 10.200.$NET.2인 인터페이스가 없습니다"
  exit 1
fi
