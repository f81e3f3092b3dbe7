#!/usr/bin/env bash
set -euo pipefail
blue() { nsenter --net=/run/netns/blue "$@"; }
ip netns delete blue 2>/dev/null || true
ip link delete to-blue 2>/dev/null || true # its end in blue goes with it
ip netns add blue
ip link add to-blue type veth peer name eth0 netns blue
ip address add "10.200.$NET.1/24" dev to-blue
ip link set to-blue up
blue ip address add "10.200.$NET.2/24" dev eth0
blue ip link set lo up
blue ip link set eth0 up
blue ip route add default via "10.200.$NET.1"
