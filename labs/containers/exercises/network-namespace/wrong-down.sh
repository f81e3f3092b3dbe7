#!/usr/bin/env bash
# The end in blue was never switched on.
set -euo pipefail
ip netns add blue
ip link add to-blue type veth peer name eth0 netns blue
ip address add "10.200.$NET.1/24" dev to-blue
ip link set to-blue up
nsenter --net=/run/netns/blue ip address add "10.200.$NET.2/24" dev eth0
